import { chmod, mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Device, Mount } from '../../cri/index.ts';
import type { KubeletContext } from '../context.ts';
import type { VolumeImage } from '../images/image-volumes.ts';
import { podHostname } from '../pod/dns.ts';
import { hostNetworkHostsFile, podHostsFile } from '../pod/hosts-file.ts';
import type { Container, EphemeralContainer, Pod, VolumeMount } from '../types.ts';
import type { MountedVolume } from '../volumes/volume.ts';
import { ContainerConfigError } from './env.ts';
import { expand } from './expand.ts';

const PROPAGATIONS: Readonly<Record<string, Mount['propagation']>> = {
  HostToContainer: 'PROPAGATION_HOST_TO_CONTAINER',
  Bidirectional: 'PROPAGATION_BIDIRECTIONAL',
};

export interface MountInput {
  readonly pod: Pod;
  readonly container: Container | EphemeralContainer;
  readonly restartCount: number;
  readonly volumes: ReadonlyMap<string, MountedVolume>;
  /** Of the volumes that are images. */
  readonly images: ReadonlyMap<string, VolumeImage>;
  readonly env: ReadonlyMap<string, string>;
  readonly podIPs: readonly string[];
}

/**
 * The container's mounts: its volumes, and, where there are files behind them, /etc/hosts and its termination log. Throws a
 * ContainerConfigError.
 */
export async function containerMounts(input: MountInput, context: KubeletContext): Promise<Mount[]> {
  const { pod, container } = input;
  const mounts: Mount[] = [];
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    mounts.push(await volumeMount(mount, index, input, context));
  }
  if (context.options.hollow === true) return mounts;
  const taken = new Set(mounts.map((mount) => mount.containerPath.replace(/\/+$/, '')));
  if (!taken.has('/etc/hosts')) {
    mounts.push({ containerPath: '/etc/hosts', hostPath: await writeHosts(pod, input.podIPs, context) });
  }
  const path = container.terminationMessagePath ?? '';
  if (path !== '' && !taken.has(path)) {
    const hostPath = terminationLogPath(context, pod.metadata.uid, container.name, input.restartCount);
    await mkdir(dirname(hostPath), { recursive: true, mode: 0o750 });
    await writeFile(hostPath, '');
    // The container may run as any user.
    await chmod(hostPath, 0o666);
    mounts.push({ containerPath: path, hostPath });
  }
  return mounts;
}

export function podDirectory(context: KubeletContext, uid: string): string {
  return join(context.options.rootDir, 'pods', uid);
}

/** The file behind a container's terminationMessagePath: one per run. */
export function terminationLogPath(
  context: KubeletContext,
  uid: string,
  container: string,
  restartCount: number,
): string {
  return join(podDirectory(context, uid), 'containers', container, `termination-${restartCount}`);
}

async function volumeMount(
  mount: VolumeMount,
  index: number,
  { pod, container, volumes, images, env }: MountInput,
  context: KubeletContext,
): Promise<Mount> {
  const volume = volumes.get(mount.name);
  if (volume === undefined) {
    throw new ContainerConfigError(`cannot find volume "${mount.name}" to mount into container "${container.name}"`);
  }
  const recursiveReadOnly = resolveRecursive(mount, context.features.recursiveReadOnlyMounts);
  const subPath = resolveSubPath(mount, env);
  const containerPath = mount.mountPath.startsWith('/') ? mount.mountPath : `/${mount.mountPath}`;
  const image = images.get(mount.name);
  if (image?.mountedBy === 'runtime') {
    const { spec } = image;
    return {
      containerPath,
      hostPath: '',
      readonly: true,
      image: spec,
      ...(subPath === '' ? {} : { imageSubPath: subPath }),
    };
  }
  let { hostPath } = volume;
  if (subPath !== '') {
    try {
      const place = { podUID: pod.metadata.uid, volume: mount.name, container: container.name, index };
      hostPath = await context.volumes.bindSubPath(place, hostPath, subPath, context.deps.exec);
    } catch (error) {
      const isThere = await stat(join(volume.hostPath, subPath)).then(
        () => true,
        () => false,
      );
      const what = isThere ? 'prepare subPath' : 'create subPath directory';
      const message = `failed to ${what} for volumeMount "${mount.name}" of container "${container.name}"`;
      throw new ContainerConfigError(message, { cause: error });
    }
  }
  return {
    containerPath,
    hostPath,
    readonly: mount.readOnly === true || volume.readOnly === true,
    ...(recursiveReadOnly ? { recursiveReadOnly: true } : {}),
    propagation: PROPAGATIONS[mount.mountPropagation ?? ''] ?? 'PROPAGATION_PRIVATE',
  };
}

/** The path inside the volume that is mounted; '' is all of it. Throws a ContainerConfigError for one that may lead out of it. */
function resolveSubPath({ subPath: given = '', subPathExpr = '' }: VolumeMount, env: MountInput['env']): string {
  let subPath = given;
  if (subPathExpr !== '') {
    const missing = new Set<string>();
    // An empty value counts as none: the path would name the volume itself.
    const values = new Map([...env].filter(([, value]) => value !== ''));
    subPath = expand(subPathExpr, values, (name) => missing.add(name));
    if (missing.size > 0) throw new ContainerConfigError(`missing value for ${[...missing].sort().join(', ')}`);
  }
  if (subPath.startsWith('/')) {
    throw new ContainerConfigError(`error SubPath \`${subPath}\` must not be an absolute path`);
  }
  if (subPath.split('/').includes('..')) {
    throw new ContainerConfigError(`unable to provision SubPath \`${subPath}\`: must not contain '..'`);
  }
  return subPath;
}

/** Whether what is mounted below a read-only mount is read-only too. Throws a ContainerConfigError when it cannot be. */
function resolveRecursive(mount: VolumeMount, isSupported: boolean): boolean {
  const { recursiveReadOnly: mode = 'Disabled', readOnly, mountPropagation = 'None', name } = mount;
  if (mode === 'Disabled') return false;
  const refuse = (why: string): never => {
    const text = `volume "${name}" requested recursive read-only mode, but it is ${why}`;
    throw new ContainerConfigError(`failed to resolve recursive read-only mode: ${text}`);
  };
  if (readOnly !== true) return refuse('not read-only');
  if (mountPropagation !== 'None') return refuse(`not compatible with propagation "${mountPropagation}"`);
  if (!isSupported && mode === 'Enabled') return refuse('not supported by the runtime');
  return isSupported;
}

/** The block devices of a container. Throws a ContainerConfigError. */
export function containerDevices({ container, volumes }: Pick<MountInput, 'container' | 'volumes'>): Device[] {
  return (container.volumeDevices ?? []).map(({ name, devicePath }) => {
    const volume = volumes.get(name);
    if (volume?.device === undefined) {
      throw new ContainerConfigError(`cannot find device of volume "${name}" for container "${container.name}"`);
    }
    return { containerPath: devicePath, hostPath: volume.device, permissions: volume.readOnly === true ? 'r' : 'mrw' };
  });
}

async function writeHosts(pod: Pod, podIPs: readonly string[], context: KubeletContext): Promise<string> {
  const path = join(podDirectory(context, pod.metadata.uid), 'etc-hosts');
  const { hostname, domain } = podHostname(pod, context.options.clusterDomain);
  const text =
    pod.spec.hostNetwork === true
      ? hostNetworkHostsFile(pod, await readFile('/etc/hosts', 'utf8').catch(() => ''))
      : podHostsFile(pod, podIPs, hostname, domain);
  const present = await readFile(path, 'utf8').catch(() => undefined);
  if (present === text) return path;
  await mkdir(dirname(path), { recursive: true, mode: 0o750 });
  await writeFile(`${path}.new`, text, { mode: 0o644 });
  await rename(`${path}.new`, path);
  return path;
}
