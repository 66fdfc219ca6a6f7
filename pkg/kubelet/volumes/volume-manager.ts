import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Exec } from '../../base/exec.ts';
import type { Pod, Volume } from '../types.ts';
import { emptyDirVolume } from './empty-dir.ts';
import { hostPathVolume } from './host-path.ts';
import { configMapVolume, downwardAPIVolume, projectedVolume, secretVolume } from './projected.ts';
import { type MountedVolume, type VolumeDeps, VolumeError, type VolumePlugin } from './volume.ts';

/** Every kind of volume that this node has. */
const VOLUME_PLUGINS: readonly VolumePlugin[] = [
  emptyDirVolume,
  hostPathVolume,
  configMapVolume,
  secretVolume,
  downwardAPIVolume,
  projectedVolume,
];

export interface VolumeManagerOptions {
  /** `DIR/UID/volumes` on a disk. */
  readonly podsDir: string;
  /** The same in memory, for secrets and tokens. */
  readonly memoryPodsDir: string;
}

/** Set-up of one volume of a pod failed. */
export interface VolumeFailure {
  readonly volume: string;
  readonly message: string;
}

export interface PodVolumes {
  readonly mounted: ReadonlyMap<string, MountedVolume>;
  readonly failures: readonly VolumeFailure[];
  readonly refreshAtMs: number | undefined;
}

/** Sets up and removes the volumes of pods. Knows nothing of containers. */
export class VolumeManager {
  readonly #options: VolumeManagerOptions;

  constructor(options: VolumeManagerOptions) {
    this.#options = options;
  }

  /** Brings all volumes of the pod up to date. Never throws for a single volume: that is a failure in the result. */
  async setUp(pod: Pod, deps: VolumeDeps): Promise<PodVolumes> {
    const mounted = new Map<string, MountedVolume>();
    const failures: VolumeFailure[] = [];
    let refreshAtMs: number | undefined;
    await Promise.all(
      (pod.spec.volumes ?? []).map(async (volume) => {
        try {
          const plugin = pluginFor(volume);
          const result = await plugin.setUp({
            pod,
            volume,
            dir: this.#volumeDir(pod.metadata.uid, plugin, volume.name),
            deps,
          });
          mounted.set(volume.name, result);
          if (result.refreshAtMs !== undefined)
            refreshAtMs = Math.min(refreshAtMs ?? result.refreshAtMs, result.refreshAtMs);
        } catch (error) {
          failures.push({ volume: volume.name, message: error instanceof Error ? error.message : String(error) });
        }
      }),
    );
    return { mounted, failures, refreshAtMs };
  }

  /** Removes everything that the pod's volumes left on the node. */
  async tearDown(uid: string, exec: Exec): Promise<void> {
    for (const plugin of VOLUME_PLUGINS) {
      const parent = join(this.#podDir(uid, plugin), 'volumes', plugin.directory);
      const names = await readdir(parent).catch(() => []);
      for (const name of names) await plugin.tearDown?.(join(parent, name), exec);
    }
    for (const dir of [this.#options.podsDir, this.#options.memoryPodsDir]) {
      await rm(join(dir, uid, 'volumes'), { recursive: true, force: true });
    }
    await rm(join(this.#options.memoryPodsDir, uid), { recursive: true, force: true });
  }

  #podDir(uid: string, plugin: VolumePlugin): string {
    return join(plugin.inMemory ? this.#options.memoryPodsDir : this.#options.podsDir, uid);
  }

  #volumeDir(uid: string, plugin: VolumePlugin, name: string): string {
    return join(this.#podDir(uid, plugin), 'volumes', plugin.directory, name);
  }
}

function pluginFor(volume: Volume): VolumePlugin {
  const plugin = VOLUME_PLUGINS.find((candidate) => candidate.supports(volume));
  if (plugin !== undefined) return plugin;
  const kind = Object.keys(volume).find((key) => key !== 'name') ?? 'without source';
  throw new VolumeError(`volume type ${kind} is not supported by this node`);
}
