import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { errnoCode, systemErrorText } from '../../base/errors.ts';
import type { Exec } from '../../base/exec.ts';
import type { ImageMounts } from '../../cri/index.ts';
import { imageMountKey } from '../images/image-volumes.ts';
import type { VolumeCounts, VolumeMetrics, VolumeOperation } from '../stats/volume-metrics.ts';
import type { Pod, Volume } from '../types.ts';
import { writeAtomically } from './atomic-writer.ts';
import { type BoundClaim, boundClaim, checkNodeAffinity, claimName } from './claims.ts';
import { emptyDirVolume } from './empty-dir.ts';
import { hollowVolume } from './hollow.ts';
import { hostPathVolume } from './host-path.ts';
import { imageVolume } from './image.ts';
import { localVolume } from './local.ts';
import { unmountAll } from './mount-table.ts';
import { nfsVolume } from './nfs.ts';
import { configMapVolume, downwardAPIVolume, projectedVolume, secretVolume } from './projected.ts';
import { bindSubPath } from './sub-path.ts';
import {
  type MountedVolume,
  type VolumeDeps,
  VolumeError,
  type VolumePlugin,
  type VolumeSource,
  type VolumeStage,
} from './volume.ts';
import { VolumeStates } from './volume-states.ts';

/** Every kind of volume that this node has. */
const VOLUME_PLUGINS: readonly VolumePlugin[] = [
  emptyDirVolume,
  hostPathVolume,
  configMapVolume,
  secretVolume,
  downwardAPIVolume,
  projectedVolume,
  localVolume,
  nfsVolume,
  imageVolume,
];

/** Those that are files out of objects. */
const FILE_PLUGINS: ReadonlySet<VolumePlugin> = new Set([
  configMapVolume,
  secretVolume,
  downwardAPIVolume,
  projectedVolume,
]);

export interface VolumeManagerOptions {
  /** `DIR/UID/volumes` on a disk. */
  readonly podsDir: string;
  /** The same in memory, for secrets and tokens. */
  readonly memoryPodsDir: string;
  /** Volumes are resolved as ever, but nothing is written or mounted. */
  readonly hollow?: boolean;
  /** Set when volumes that are images are mounted by the node. */
  readonly imageMounts?: ImageMounts;
}

export interface VolumeManagerDeps {
  readonly clock: Clock;
  readonly metrics: Pick<VolumeMetrics, 'operation'>;
}

export interface PodVolumes {
  readonly mounted: ReadonlyMap<string, MountedVolume>;
  /** Texts for events: volumes whose set-up failed. */
  readonly failures: readonly string[];
  readonly refreshAtMs: number | undefined;
}

/** Where a volume of a pod can be measured. */
export interface VolumePlace {
  readonly name: string;
  readonly path: string;
  /** The claim that it is of; absent: the node's own volume. */
  readonly claim: string | undefined;
}

export interface SubPathMount {
  readonly podUID: string;
  readonly volume: string;
  readonly container: string;
  /** Of the mount in its container. */
  readonly index: number;
}

interface Failure {
  readonly volume: string;
  /** What messages call it: of a claim its PersistentVolume. */
  readonly name: string;
  readonly stage: VolumeStage;
  readonly message: string;
}

/** Sets up and removes the volumes of pods. Knows nothing of containers. */
export class VolumeManager {
  readonly #options: VolumeManagerOptions;
  readonly #deps: VolumeManagerDeps;
  readonly #states = new VolumeStates();
  /** Pod uids by the uid of the claims that they use. */
  readonly #claimUsers = new Map<string, Set<string>>();
  /** By pod uid and volume name: claims that are set up, which stay as they are until the pod goes. */
  readonly #claimed = new Map<string, Map<string, MountedVolume>>();

  constructor(options: VolumeManagerOptions, deps: VolumeManagerDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** Brings all volumes of the pod up to date. Never throws for a single volume: that is a failure in the result. */
  async setUp(pod: Pod, deps: VolumeDeps): Promise<PodVolumes> {
    const mounted = new Map<string, MountedVolume>();
    const failures: Failure[] = [];
    let refreshAtMs: number | undefined;
    await Promise.all(
      (pod.spec.volumes ?? []).map(async (volume) => {
        let name = volume.name;
        try {
          let claim: BoundClaim | undefined;
          const known = this.#claimed.get(pod.metadata.uid)?.get(volume.name);
          if (known !== undefined) {
            mounted.set(volume.name, known);
            return;
          }
          if (claimName(pod, volume) !== undefined) {
            claim = await boundClaim(pod, volume, deps.client);
            name = claim.persistentVolume.metadata.name;
          }
          const result = await this.#setUp(pod, volume, claim, deps);
          mounted.set(volume.name, result);
          if (claim !== undefined) this.#keep(pod.metadata.uid, volume.name, result);
          if (result.refreshAtMs !== undefined)
            refreshAtMs = Math.min(refreshAtMs ?? result.refreshAtMs, result.refreshAtMs);
        } catch (error) {
          const stage = error instanceof VolumeError ? error.stage : 'SetUp';
          const message = systemErrorText(error);
          failures.push({ volume: volume.name, name, stage, message });
        }
      }),
    );
    return { mounted, failures: failureTexts(failures), refreshAtMs };
  }

  /** Mounts a path inside a set-up volume where nobody can redirect it any more; the mount point is returned. */
  async bindSubPath(mount: SubPathMount, volumeDir: string, subPath: string, exec: Exec): Promise<string> {
    if (this.#options.hollow === true) return join(volumeDir, subPath);
    const { podUID, volume, container, index } = mount;
    const target = join(this.#options.podsDir, podUID, 'volume-subpaths', volume, container, String(index));
    await bindSubPath(volumeDir, subPath, target, exec);
    return target;
  }

  /** Removes everything that the pod's volumes left on the node. */
  async tearDown(uid: string, exec: Exec): Promise<void> {
    for (const [claim, users] of this.#claimUsers) {
      if (users.delete(uid) && users.size === 0) this.#claimUsers.delete(claim);
    }
    const startedMs = this.#deps.clock.monotonic();
    const left = this.#states.leave(uid);
    let failed = true;
    try {
      if (this.#options.hollow !== true) await this.#remove(uid, exec);
      failed = false;
    } finally {
      for (const { plugin, block } of left)
        this.#done(plugin, block ? 'unmap_volume' : 'volume_unmount', startedMs, failed);
    }
    this.#states.forget(uid);
    this.#claimed.delete(uid);
  }

  async #remove(uid: string, exec: Exec): Promise<void> {
    for (const dir of [this.#options.podsDir, this.#options.memoryPodsDir]) {
      await unmountAll(join(dir, uid), exec);
      if (dir === this.#options.podsDir) await this.#releaseImages(uid);
      for (const name of ['volumes', 'volume-subpaths']) {
        await rm(join(dir, uid, name), { recursive: true, force: true });
      }
    }
    await rm(join(this.#options.memoryPodsDir, uid), { recursive: true, force: true });
  }

  /** The volumes of a pod that take room of their own: not those that are a part of the node's file system. */
  places(pod: Pod): VolumePlace[] {
    const { uid } = pod.metadata;
    return (pod.spec.volumes ?? []).flatMap((volume): VolumePlace[] => {
      const claim = claimName(pod, volume);
      if (claim !== undefined) {
        const path = this.#claimed.get(uid)?.get(volume.name)?.hostPath;
        return path === undefined ? [] : [{ name: volume.name, path, claim }];
      }
      const plugin = VOLUME_PLUGINS.find((candidate) => candidate.supports(volume));
      if (plugin === undefined || (plugin !== emptyDirVolume && !FILE_PLUGINS.has(plugin))) return [];
      return [{ name: volume.name, path: this.#volumeDir(uid, plugin, volume.name), claim }];
    });
  }

  /** How many volumes each plugin has to set up and has set up. */
  counts(): VolumeCounts {
    return this.#states.counts();
  }

  /** The directory of an emptyDir on a disk, whether or not it is there. */
  emptyDirPath(uid: string, volume: string): string {
    return this.#volumeDir(uid, emptyDirVolume, volume);
  }

  async #setUp(pod: Pod, volume: Volume, claim: BoundClaim | undefined, deps: VolumeDeps): Promise<MountedVolume> {
    const { uid } = pod.metadata;
    const source: VolumeSource = claim === undefined ? volume : (claim.persistentVolume.spec as VolumeSource);
    const hollow = this.#options.hollow === true;
    const found = pluginFor(source, claim?.persistentVolume.metadata.name ?? volume.name);
    const state = { plugin: pluginName(found), block: claim?.persistentVolume.spec?.volumeMode === 'Block' };
    this.#states.want(uid, volume.name, state);
    const plugin = hollow && !FILE_PLUGINS.has(found) ? hollowVolume : found;
    const startedMs = this.#deps.clock.monotonic();
    // What is there already and does not follow other objects is only looked at.
    const isOperation = FILE_PLUGINS.has(found) || !this.#states.isMounted(uid, volume.name);
    let failed = true;
    try {
      if (claim !== undefined) {
        checkNodeAffinity(claim.persistentVolume, deps.node());
        this.#use(claim, uid);
      }
      const dir = this.#volumeDir(uid, plugin, claim?.persistentVolume.metadata.name ?? volume.name);
      const result = await plugin.setUp({
        pod,
        source,
        ...(claim === undefined ? {} : { claim }),
        dir,
        write: hollow ? async () => false : writeAtomically,
        deps,
      });
      failed = false;
      this.#states.setMounted(uid, volume.name);
      return claim?.readOnly === true ? { ...result, readOnly: true } : result;
    } finally {
      if (isOperation || failed)
        this.#done(state.plugin, state.block ? 'map_volume' : 'volume_mount', startedMs, failed);
    }
  }

  #done(plugin: string, operation: VolumeOperation, startedMs: number, failed: boolean): void {
    const { clock, metrics } = this.#deps;
    metrics.operation(plugin, operation, (clock.monotonic() - startedMs) / 1000, failed);
  }

  async #releaseImages(uid: string): Promise<void> {
    const { imageMounts, podsDir } = this.#options;
    if (imageMounts === undefined) return;
    const names = await readdir(join(podsDir, uid, 'volumes', imageVolume.directory)).catch((error: unknown) => {
      if (errnoCode(error) === 'ENOENT') return [];
      throw error;
    });
    for (const name of names) await imageMounts.release(imageMountKey(uid, name));
  }

  #keep(podUID: string, volume: string, result: MountedVolume): void {
    const volumes = this.#claimed.get(podUID) ?? new Map<string, MountedVolume>();
    this.#claimed.set(podUID, volumes.set(volume, result));
  }

  /** Notes that the pod uses a claim. Throws a VolumeError when another one has it for itself. */
  #use({ claim, persistentVolume }: BoundClaim, podUID: string): void {
    const users = this.#claimUsers.get(claim.metadata.uid) ?? new Set();
    const others = [...users].some((uid) => uid !== podUID);
    if (others && persistentVolume.spec?.accessModes?.includes('ReadWriteOncePod') === true) {
      throw new VolumeError('volume uses the ReadWriteOncePod access mode and is already in use by another pod');
    }
    this.#claimUsers.set(claim.metadata.uid, users.add(podUID));
  }

  #volumeDir(uid: string, plugin: VolumePlugin, name: string): string {
    const root = plugin.inMemory ? this.#options.memoryPodsDir : this.#options.podsDir;
    return join(root, uid, 'volumes', plugin.directory, name);
  }
}

function pluginName({ directory }: VolumePlugin): string {
  return directory.replace('~', '/');
}

/** Fields of a PersistentVolume's spec that are no source. */
const SPEC_FIELDS: ReadonlySet<string> = new Set([
  'name',
  'accessModes',
  'capacity',
  'claimRef',
  'mountOptions',
  'nodeAffinity',
  'persistentVolumeReclaimPolicy',
  'storageClassName',
  'volumeAttributesClassName',
  'volumeMode',
]);

function pluginFor(source: VolumeSource, name: string): VolumePlugin {
  const plugin = VOLUME_PLUGINS.find((candidate) => candidate.supports(source));
  if (plugin !== undefined) return plugin;
  // Drivers come and go: of those of a pod's own volumes none is here now.
  if (source.csi !== undefined && !('accessModes' in source)) {
    const why = `driver name ${source.csi.driver} not found in the list of registered CSI drivers`;
    throw new VolumeError(`kubernetes.io/csi: mounter.SetUpAt failed to get CSI client: ${why}`);
  }
  const kind = Object.keys(source).find((key) => !SPEC_FIELDS.has(key)) ?? 'of no kind';
  const text = `failed to get Plugin from volumeSpec for volume "${name}" err=no volume plugin matched`;
  throw new VolumeError(`${text}: this node has none for volumes ${kind}`, 'process');
}

/** Texts of upstream's FailedMount events: one for all volumes that lead nowhere, one for each that could not be set up. */
function failureTexts(failures: readonly Failure[]): string[] {
  const lost = failures.filter(({ stage }) => stage === 'process');
  const others = failures.filter(({ stage }) => stage !== 'process');
  const texts = others.map(({ name, stage, message }) => {
    const verb = stage === 'NewBlockVolumeMapper initialization' ? 'MapVolume' : 'MountVolume';
    return `${verb}.${stage} failed for volume "${name}" : ${message}`;
  });
  if (lost.length === 0) return texts;
  const names = lost.map(({ volume }) => volume).join(' ');
  const why = lost.map(({ message }) => message).join('; ');
  const list = `unmounted volumes=[${names}], unattached volumes=[], failed to process volumes=[${names}]`;
  return [...texts, `Unable to attach or mount volumes: ${list}: ${why}`];
}
