import { expect, test } from 'vitest';
import { hostsFiles } from './registries.ts';

test('mirrors, credentials and TLS become hosts.toml files', () => {
  const files = hostsFiles({
    mirrors: {
      'docker.io': { endpoint: ['https://mirror.example', 'http://plain.example:5000'] },
      '*': { endpoint: ['https://all.example'] },
    },
    configs: {
      'mirror.example': { auth: { username: 'u', password: 'p' } },
      'r.example:5000': { tls: { insecure_skip_verify: true, ca_file: '/ca' } },
    },
  });
  expect([...files.keys()]).toEqual(['docker.io', '_default', 'mirror.example', 'r.example_5000_']);
  const hub = files.get('docker.io');
  expect(hub).toContain('server = "https://registry-1.docker.io"');
  expect(hub).toContain('[host."http://plain.example:5000"]');
  expect(hub).toContain('authorization = "Basic dTpw"');
  expect(files.get('_default')).not.toContain('server');
  expect(files.get('r.example_5000_')).toContain('skip_verify = true');
  expect(files.get('r.example_5000_')).toContain('ca = "/ca"');
});

test('what containerd cannot do is refused by name', () => {
  expect(() => hostsFiles({ mirrors: { a: { rewrite: { x: 'y' } } } })).toThrow('mirrors.a.rewrite is not supported');
});
