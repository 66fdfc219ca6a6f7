import { expect, test } from 'vitest';
import { renderContainerdConfig } from './config.ts';

const base = {
  rootDir: '/d/containerd',
  stateDir: '/r/containerd',
  socketPath: '/r/containerd/containerd.sock',
  cniConfDir: '/d/cni',
  cniBinDir: '/p/cni',
  runtimePath: '/p/bin/runc',
  sandboxImage: 'pause:1',
  snapshotter: 'overlayfs',
  restrictOOMScoreAdj: true,
  disableAppArmor: false,
} as const;

test('config.toml carries paths, detected switches and the registry directory', () => {
  const text = renderContainerdConfig({ ...base, registryConfigDir: '/d/certs "x"' });
  expect(text).toContain('address = "/r/containerd/containerd.sock"');
  expect(text).toContain('BinaryName = "/p/bin/runc"');
  expect(text).toContain('restrict_oom_score_adj = true');
  expect(text).toContain('disable_apparmor = false');
  expect(text).toContain('config_path = "/d/certs \\"x\\""');
  expect(renderContainerdConfig(base)).not.toContain('config_path');
});

test('what lets the user into registries', () => {
  const registryAuths = new Map([['r.example:5000', { username: 'u', password: '"p"' }]]);
  expect(renderContainerdConfig({ ...base, registryAuths })).toContain(
    [
      '[plugins."io.containerd.grpc.v1.cri".registry.configs."r.example:5000".auth]',
      '  username = "u"',
      '  password = "\\"p\\""',
    ].join('\n'),
  );
});
