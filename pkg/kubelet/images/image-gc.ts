import { statfs } from 'node:fs/promises';
import type { Clock } from '../../base/clock.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Logger } from '../../base/logger.ts';
import type { CRI, Image } from '../../cri/index.ts';
import { parseImageName } from './image-name.ts';

const CHECK_MS = 300_000;
const PERCENT = 100;

export interface ImageGCPolicy {
  /** Used part of the images' disk from which on images are removed, and down to which; percent. */
  readonly highThresholdPercent: number;
  readonly lowThresholdPercent: number;
  /** An image that was just pulled may not have its container yet. */
  readonly minAgeMs: number;
  /** What nothing used for so long goes even while there is room; absent: it stays. */
  readonly maxAgeMs?: number;
}

/** Upstream's. */
export const DEFAULT_IMAGE_GC: ImageGCPolicy = { highThresholdPercent: 85, lowThresholdPercent: 80, minAgeMs: 120_000 };

export interface ImageGCOptions extends ImageGCPolicy {
  /** Never removed. */
  readonly sandboxImage?: string;
  /** Where images are when the runtime does not tell. */
  readonly fallbackDir: string;
}

export interface ImageGCDeps {
  readonly cri: CRI;
  readonly clock: Clock;
  readonly logger: Logger;
  /** An image was removed. */
  readonly removed: (imageID: string, reason: 'space' | 'age') => Promise<void>;
  /** Names of the images that volumes of pods are made of. */
  readonly volumeImages: () => ReadonlySet<string>;
  /** An event about the node. */
  readonly event: (reason: string, message: string) => void;
}

interface ImageUse {
  readonly image: Image;
  readonly inUse: boolean;
  readonly firstSeenMs: number;
  readonly lastUsedMs: number;
}

/** Removes images that no container uses while their disk is too full, the longest unused first. Upstream's image GC manager. */
export class ImageGC implements Component {
  readonly name = 'image-gc';
  readonly #options: ImageGCOptions;
  readonly #deps: ImageGCDeps;
  /** By image id; monotonic milliseconds. */
  #uses = new Map<string, ImageUse>();
  #directory: string | undefined;
  /** Before that nobody knows when an image was last used. Monotonic. */
  #beganAtMs: number | undefined;

  constructor(options: ImageGCOptions, deps: ImageGCDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    ready();
    const { clock, logger, event } = this.#deps;
    let failed = false;
    while (!signal.aborted) {
      try {
        await this.collect(signal);
        failed = false;
      } catch (error) {
        if (signal.aborted) return;
        logger.warn({ err: error }, 'images could not be collected');
        // One failure is not worth telling: the runtime may just be starting.
        if (failed) event('ImageGCFailed', error instanceof Error ? error.message : String(error));
        failed = true;
      }
      await clock.sleep(CHECK_MS, signal);
    }
  }

  /** A directory on the file system of the images. */
  async directory(signal: AbortSignal): Promise<string> {
    if (this.#directory === undefined) {
      const [usage] = await this.#deps.cri.images.imageFsInfo({ signal });
      this.#directory = usage?.fsId?.mountpoint;
    }
    return this.#directory ?? this.#options.fallbackDir;
  }

  /** One look at the images and their disk: removes those that are too old, and more when it is too full. Throws when that fails. */
  async collect(signal: AbortSignal): Promise<void> {
    await this.#look(signal);
    await this.#removeOld(signal);
    const { blocks, bavail, bsize } = await statfs(await this.directory(signal));
    const { highThresholdPercent, lowThresholdPercent, minAgeMs } = this.#options;
    const usedPercent = blocks === 0 ? 0 : PERCENT - Math.trunc((bavail * PERCENT) / blocks);
    if (usedPercent < highThresholdPercent) return;
    const wanted = Math.trunc((blocks * (PERCENT - lowThresholdPercent)) / PERCENT - bavail) * bsize;
    const freed = await this.#free(wanted, minAgeMs, signal);
    if (freed >= wanted) return;
    const message = [
      `Insufficient free disk space on the node's image filesystem (${usedPercent}% of ${sizeText(blocks * bsize)} used).`,
      `Failed to free sufficient space by deleting unused images (freed ${freed} bytes).`,
      'Investigate disk usage, as it could be used by active images, logs, volumes, or other data.',
    ].join(' ');
    this.#deps.event('FreeDiskSpaceFailed', message);
    throw new Error(message);
  }

  /** Removes every image that no container uses, however new it is. */
  async removeUnused(signal: AbortSignal): Promise<void> {
    await this.#look(signal);
    await this.#free(Number.POSITIVE_INFINITY, 0, signal);
  }

  async #removeOld(signal: AbortSignal): Promise<void> {
    const { maxAgeMs } = this.#options;
    const now = this.#deps.clock.monotonic();
    this.#beganAtMs ??= now;
    if (maxAgeMs === undefined || now - this.#beganAtMs <= maxAgeMs) return;
    await this.#remove(
      this.#unused().filter(({ lastUsedMs }) => now - lastUsedMs > maxAgeMs),
      Number.POSITIVE_INFINITY,
      'age',
      signal,
    );
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { cri, clock } = this.#deps;
    const [images, containers] = await Promise.all([
      cri.images.listImages({ signal }),
      cri.runtime.listContainers({}, { signal }),
    ]);
    const used = new Set(containers.flatMap(({ imageRef, image }) => [imageRef, image.image]));
    for (const name of this.#deps.volumeImages()) used.add(name);
    const now = clock.monotonic();
    this.#uses = new Map(
      images.map((image) => {
        const known = this.#uses.get(image.id);
        const inUse = [image.id, ...image.repoTags, ...image.repoDigests].some((name) => used.has(name));
        const lastUsedMs = inUse ? now : (known?.lastUsedMs ?? Number.NEGATIVE_INFINITY);
        return [image.id, { image, inUse, firstSeenMs: known?.firstSeenMs ?? now, lastUsedMs }];
      }),
    );
  }

  /** Returns how many bytes it got back. */
  async #free(wantedBytes: number, minAgeMs: number, signal: AbortSignal): Promise<number> {
    const now = this.#deps.clock.monotonic();
    const removable = this.#unused().filter(({ firstSeenMs }) => now - firstSeenMs >= minAgeMs);
    return this.#remove(removable, wantedBytes, 'space', signal);
  }

  /** The longest unused first. */
  #unused(): ImageUse[] {
    return [...this.#uses.values()]
      .filter(({ image, inUse }) => !inUse && !this.#isKept(image))
      .sort((a, b) => a.lastUsedMs - b.lastUsedMs || a.firstSeenMs - b.firstSeenMs);
  }

  /** Until so many bytes are free; one that cannot be removed keeps no other one. Throws an AggregateError of what failed. */
  async #remove(
    uses: readonly ImageUse[],
    wantedBytes: number,
    reason: 'space' | 'age',
    signal: AbortSignal,
  ): Promise<number> {
    const { cri, logger, removed } = this.#deps;
    const failures: unknown[] = [];
    let freed = 0;
    for (const { image } of uses) {
      if (freed >= wantedBytes || signal.aborted) break;
      const name = image.repoTags[0] ?? image.id;
      logger.info({ image: name, sizeBytes: image.size }, 'removing an image that nothing uses');
      try {
        await cri.images.removeImage(image.id, { signal });
        await removed(image.id, reason);
      } catch (error) {
        signal.throwIfAborted();
        failures.push(error);
        continue;
      }
      this.#uses.delete(image.id);
      freed += image.size;
    }
    if (failures.length > 0) throw new AggregateError(failures, `${failures.length} images could not be removed`);
    return freed;
  }

  #isKept({ pinned, repoTags }: Image): boolean {
    const { sandboxImage } = this.#options;
    return pinned || (sandboxImage !== undefined && repoTags.some((tag) => sameName(tag, sandboxImage)));
  }
}

function sameName(a: string, b: string): boolean {
  const [one, other] = [parseImageName(a), parseImageName(b)];
  return one.registry === other.registry && one.repository === other.repository && a.endsWith(tagOf(other.reference));
}

function tagOf(reference: string): string {
  return reference.slice(reference.lastIndexOf(':'));
}

const UNITS = ['KiB', 'MiB', 'GiB', 'TiB'] as const;

/** In the largest unit that leaves a whole number before the point. */
function sizeText(bytes: number): string {
  let amount = bytes;
  let text = `${bytes} B`;
  for (const unit of UNITS) {
    if (amount < 1024) return text;
    amount /= 1024;
    text = `${amount.toFixed(1)} ${unit}`;
  }
  return text;
}
