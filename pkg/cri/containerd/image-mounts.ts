import { type Exec, execOutput } from '../../base/exec.ts';
import { parseFacts } from '../descriptor.ts';
import { containerdSnapshotFacts } from '../facts/containerd-snapshots.ts';
import { criFacts } from '../facts/cri-v1.ts';
import { CriError, GrpcConnection, isCriError } from '../grpc.ts';
import type { ImageMounts } from '../runtime.ts';
import type { RuntimeVersion } from '../types.ts';
import { CRI_NAMESPACE } from './events.ts';

/** Since this version containerd's CRI plugin mounts images into containers itself. */
const WITH_IMAGE_MOUNTS = [2, 1] as const;

/** Whether images must be mounted on the node for this runtime: others mount them into containers themselves, or refuse. Pure. */
export function needsImageMounts({
  runtimeName,
  runtimeVersion,
}: Pick<RuntimeVersion, 'runtimeName' | 'runtimeVersion'>): boolean {
  const [, major = '0', minor = '0'] = /^v?(\d+)\.(\d+)/.exec(runtimeVersion) ?? [];
  const [since, sinceMinor] = WITH_IMAGE_MOUNTS;
  const isOlder = Number(major) < since || (Number(major) === since && Number(minor) < sinceMinor);
  return runtimeName === 'containerd' && isOlder;
}

/** What containerd would mount: the arguments of mount(2). */
export interface SnapshotMount {
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

/** The label by which containerd's garbage collection leaves a thing, and all that it is made of, alone. */
const GC_ROOT = 'containerd.io/gc.root';
const REQUEST_TIMEOUT_MS = 120_000;

/**
 * Images mounted by views of containerd's snapshots, for a containerd whose CRI plugin has no image mounts (before 2.1). A view
 * keeps its layers even when the image is removed.
 */
export class ContainerdImageMounts implements ImageMounts {
  readonly #connection: GrpcConnection;
  readonly #exec: Exec;
  readonly #cri = parseFacts('runtime.v1', criFacts);
  readonly #snapshots = parseFacts('containerd.services.snapshots.v1', containerdSnapshotFacts);
  #snapshotter: string | undefined;

  constructor(endpoint: string, exec: Exec) {
    this.#connection = new GrpcConnection(endpoint, { 'containerd-namespace': CRI_NAMESPACE });
    this.#exec = exec;
  }

  async mount(image: string, key: string, target: string, signal: AbortSignal): Promise<void> {
    const parent = await this.#chainID(image, signal);
    const snapshotter = await this.#snapshotterName(signal);
    let mounts: readonly SnapshotMount[];
    try {
      mounts = await this.#mounts('View', { snapshotter, key, parent, labels: { [GC_ROOT]: 'in use' } }, signal);
    } catch (error) {
      // Left by a mount that did not come to its end, or by one from before the machine started.
      if (!isCriError(error, 'AlreadyExists')) throw error;
      mounts = await this.#mounts('Mounts', { snapshotter, key }, signal);
    }
    for (const mount of mounts) {
      const { args, cwd } = mountCommand(mount, target);
      await execOutput(this.#exec, 'mount', args, cwd === undefined ? { signal } : { signal, cwd });
    }
  }

  async release(key: string): Promise<void> {
    const method = this.#snapshots.method('Snapshots', 'Remove');
    const snapshotter = await this.#snapshotterName();
    try {
      await this.#connection.unary(method, { snapshotter, key }, { timeoutMs: REQUEST_TIMEOUT_MS });
    } catch (error) {
      if (!isCriError(error, 'NotFound')) throw error;
    }
  }

  close(): void {
    this.#connection.close();
  }

  async #mounts(name: 'View' | 'Mounts', request: object, signal: AbortSignal): Promise<readonly SnapshotMount[]> {
    const method = this.#snapshots.method('Snapshots', name);
    const answer = await this.#connection.unary(method, request, { signal, timeoutMs: REQUEST_TIMEOUT_MS });
    return (answer as { mounts: SnapshotMount[] }).mounts;
  }

  /** The name of the snapshot that has all layers of an image. */
  async #chainID(image: string, signal: AbortSignal): Promise<string> {
    const method = this.#cri.method('ImageService', 'ImageStatus');
    const request = { image: { image }, verbose: true };
    const answer = await this.#connection.unary(method, request, { signal, timeoutMs: REQUEST_TIMEOUT_MS });
    const info = (answer as { info: Readonly<Record<string, string>> }).info['info'];
    const { chainID } = JSON.parse(info ?? '{}') as { chainID?: string };
    if (chainID === undefined) throw new CriError('NotFound', `the layers of image "${image}" are not known`);
    return chainID;
  }

  /** The snapshotter that CRI uses, by the name of the directory that it tells of. */
  async #snapshotterName(signal?: AbortSignal): Promise<string> {
    if (this.#snapshotter === undefined) {
      const method = this.#cri.method('ImageService', 'ImageFsInfo');
      const options = { timeoutMs: REQUEST_TIMEOUT_MS, ...(signal === undefined ? {} : { signal }) };
      const answer = await this.#connection.unary(method, {}, options);
      const { imageFilesystems } = answer as { imageFilesystems: { fsId: { mountpoint: string } | null }[] };
      this.#snapshotter = snapshotterOf(imageFilesystems[0]?.fsId?.mountpoint ?? '');
    }
    return this.#snapshotter;
  }
}

/** `/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs` is the directory of `overlayfs`. Pure. */
export function snapshotterOf(directory: string): string {
  const name = /io\.containerd\.snapshotter\.v1\.([^/]+)\/?$/.exec(directory)?.[1];
  if (name === undefined) throw new CriError('Unimplemented', `"${directory}" is no directory of a snapshotter`);
  return name;
}

/**
 * The arguments of mount(8) for a read-only mount on `target`, and where it is to run: the kernel takes one page of options, which
 * holds many more layers when their paths are relative. Pure.
 */
export function mountCommand(
  { type, source, options }: SnapshotMount,
  target: string,
): { readonly args: string[]; readonly cwd?: string } {
  const readOnly = [...options.filter((option) => option !== 'rw' && option !== 'ro'), 'ro'];
  if (type === 'bind') return { args: ['-o', readOnly.join(','), source, target] };
  const lower = readOnly.find((option) => option.startsWith('lowerdir='));
  const layers = lower?.slice('lowerdir='.length).split(':') ?? [];
  const parts = layers.map((layer) => layer.split('/'));
  const [first = []] = parts;
  let shared = 0;
  while (shared < first.length - 1 && parts.every((path) => path[shared] === first[shared])) shared++;
  if (shared < 2) return { args: ['-t', type, '-o', readOnly.join(','), source, target] };
  const relative = parts.map((path) => path.slice(shared).join('/')).join(':');
  const short = readOnly.map((option) => (option === lower ? `lowerdir=${relative}` : option));
  return { args: ['-t', type, '-o', short.join(','), source, target], cwd: first.slice(0, shared).join('/') };
}
