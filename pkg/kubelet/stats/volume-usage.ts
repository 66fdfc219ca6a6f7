import { statfs } from 'node:fs/promises';
import type { Clock } from '../../base/clock.ts';
import { type DiskUsage, diskUsage } from '../eviction/disk-usage.ts';
import type { Pod } from '../types.ts';
import type { VolumeManager, VolumePlace } from '../volumes/volume-manager.ts';
import type { VolumeMetrics } from './volume-metrics.ts';

/** Upstream's volumeStatsAggPeriod: trees are walked no more often than this. */
const KEPT_MS = 60_000;

export interface VolumeUsage {
  readonly name: string;
  readonly claim: string | undefined;
  readonly capacityBytes: number;
  readonly availableBytes: number;
  readonly usedBytes: number;
  readonly inodes: number;
  readonly inodesFree: number;
  readonly inodesUsed: number;
}

export interface VolumeUsagesDeps {
  readonly volumes: VolumeManager;
  readonly clock: Clock;
  readonly metrics: VolumeMetrics;
}

/** What the volumes of pods use: trees of the node are walked, claims are file systems. */
export class VolumeUsages {
  readonly #deps: VolumeUsagesDeps;
  readonly #trees = new Map<string, { readonly untilMs: number; readonly usage: Promise<DiskUsage> }>();

  constructor(deps: VolumeUsagesDeps) {
    this.#deps = deps;
  }

  /** Those that can be measured; `claimsOnly`: without the node's own. */
  async of(pod: Pod, claimsOnly = false): Promise<VolumeUsage[]> {
    const places = this.#deps.volumes.places(pod).filter(({ claim }) => !claimsOnly || claim !== undefined);
    const found = await Promise.all(places.map((place) => this.#measure(place).catch(() => undefined)));
    return found.filter((usage) => usage !== undefined);
  }

  async #measure({ name, path, claim }: VolumePlace): Promise<VolumeUsage> {
    const { bavail, bfree, blocks, bsize, ffree, files } = await this.#timed('statfs', () => statfs(path));
    const whole = { bytes: (blocks - bfree) * bsize, inodes: files - ffree };
    const used = claim === undefined ? await this.#tree(path) : whole;
    return {
      name,
      claim,
      capacityBytes: blocks * bsize,
      availableBytes: bavail * bsize,
      usedBytes: used.bytes,
      inodes: files,
      inodesFree: ffree,
      inodesUsed: used.inodes,
    };
  }

  #tree(path: string): Promise<DiskUsage> {
    const nowMs = this.#deps.clock.monotonic();
    for (const [key, { untilMs }] of this.#trees) if (untilMs <= nowMs) this.#trees.delete(key);
    const known = this.#trees.get(path);
    if (known !== undefined) return known.usage;
    const usage = this.#timed('du', () => diskUsage(path));
    this.#trees.set(path, { untilMs: nowMs + KEPT_MS, usage });
    return usage;
  }

  async #timed<T>(source: 'du' | 'statfs', measure: () => Promise<T>): Promise<T> {
    const { clock, metrics } = this.#deps;
    const startedMs = clock.monotonic();
    const result = await measure();
    metrics.measured(source, (clock.monotonic() - startedMs) / 1000);
    return result;
  }
}
