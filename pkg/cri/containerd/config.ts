import type { RegistryAuth } from './registries.ts';

/** The image of pod sandboxes, as it is named inside containerd. */
export const PAUSE_IMAGE = 'docker.io/kube-lite/pause:1';

export interface ContainerdConfig {
  /** Images, snapshots and container metadata. */
  readonly rootDir: string;
  /** Sockets and runtime state; best on a tmpfs. */
  readonly stateDir: string;
  readonly socketPath: string;
  readonly cniConfDir: string;
  readonly cniBinDir: string;
  /** The program that containers are run by: runc, or one before it. */
  readonly runtimePath: string;
  readonly sandboxImage: string;
  readonly snapshotter: 'overlayfs' | 'native';
  readonly restrictOOMScoreAdj: boolean;
  readonly disableAppArmor: boolean;
  /** Directory of `HOST/hosts.toml` files. */
  readonly registryConfigDir?: string;
  /** By the host of a registry. */
  readonly registryAuths?: ReadonlyMap<string, RegistryAuth>;
}

const CRI = 'plugins."io.containerd.grpc.v1.cri"';

/** containerd 1.6/1.7's config.toml (version 2). */
export function renderContainerdConfig(config: ContainerdConfig): string {
  const lines = [
    'version = 2',
    `root = ${quote(config.rootDir)}`,
    `state = ${quote(config.stateDir)}`,
    'disabled_plugins = [',
    ...UNUSED_PLUGINS.map((plugin) => `  ${quote(plugin)},`),
    ']',
    '[grpc]',
    `  address = ${quote(config.socketPath)}`,
    `[${CRI}]`,
    `  sandbox_image = ${quote(config.sandboxImage)}`,
    '  stream_server_address = "127.0.0.1"',
    '  stream_server_port = "0"',
    '  enable_unprivileged_ports = true',
    '  enable_unprivileged_icmp = true',
    '  tolerate_missing_hugetlb_controller = true',
    '  max_concurrent_downloads = 6',
    // Network namespaces go with the state directory, so that uninstalling finds them.
    '  netns_mounts_under_state_dir = true',
    `  restrict_oom_score_adj = ${config.restrictOOMScoreAdj}`,
    `  disable_apparmor = ${config.disableAppArmor}`,
    `[${CRI}.cni]`,
    `  bin_dir = ${quote(config.cniBinDir)}`,
    `  conf_dir = ${quote(config.cniConfDir)}`,
    `[${CRI}.containerd]`,
    `  snapshotter = ${quote(config.snapshotter)}`,
    '  default_runtime_name = "runc"',
    `[${CRI}.containerd.runtimes.runc]`,
    '  runtime_type = "io.containerd.runc.v2"',
    `[${CRI}.containerd.runtimes.runc.options]`,
    '  SystemdCgroup = false',
    `  BinaryName = ${quote(config.runtimePath)}`,
    `  Root = ${quote(`${config.stateDir}/runc`)}`,
  ];
  if (config.registryConfigDir !== undefined) {
    lines.push(`[${CRI}.registry]`, `  config_path = ${quote(config.registryConfigDir)}`);
  }
  for (const [host, auth] of config.registryAuths ?? []) {
    lines.push(`[${CRI}.registry.configs.${quote(host)}.auth]`);
    for (const [name, value] of Object.entries(auth)) lines.push(`  ${name} = ${quote(value)}`);
  }
  return `${lines.join('\n')}\n`;
}

/** Not needed here, and each costs start-up time or a warning. */
const UNUSED_PLUGINS = [
  'io.containerd.snapshotter.v1.aufs',
  'io.containerd.snapshotter.v1.btrfs',
  'io.containerd.snapshotter.v1.devmapper',
  'io.containerd.snapshotter.v1.zfs',
  'io.containerd.internal.v1.tracing',
  'io.containerd.tracing.processor.v1.otlp',
  'io.containerd.internal.v1.opt',
];

/** A TOML basic string. */
function quote(text: string): string {
  return JSON.stringify(text);
}
