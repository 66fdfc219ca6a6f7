import { statfs } from 'node:fs/promises';
import type { Clock } from '../../base/clock.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Logger } from '../../base/logger.ts';
import type { CRI, Image } from '../../cri/index.ts';
import { parseImageName } from './image-name.ts';

const CHECK_MS = 300_000;
/** An image that was just pulled may not have its container yet. */
const MIN_AGE_MS = 120_000;
const PERCENT = 100;

export interface ImageGCOptions {
  /** Used part of the images' disk from which on images are removed, and down to which; percent. */
  readonly highThresholdPercent: number;
  readonly lowThresholdPercent: number;
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
  readonly removed: (imageID: string) => Promise<void>;
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

  constructor(options: ImageGCOptions, deps: ImageGCDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  async run(signal: AbortSignal, ready: () => void): Promise<void> {
    ready();
    const { clock, logger } = this.#deps;
    while (!signal.aborted) {
      try {
        await this.collect(signal);
      } catch (error) {
        if (!signal.aborted) logger.warn({ err: error }, 'images could not be collected');
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

  /** One look at the disk; removes images when it is too full. */
  async collect(signal: AbortSignal): Promise<void> {
    await this.#look(signal);
    const { blocks, bavail, bsize } = await statfs(await this.directory(signal));
    const { highThresholdPercent, lowThresholdPercent } = this.#options;
    const usedPercent = blocks === 0 ? 0 : PERCENT - Math.trunc((bavail * PERCENT) / blocks);
    if (usedPercent < highThresholdPercent) return;
    const wanted = Math.trunc((blocks * (PERCENT - lowThresholdPercent)) / PERCENT - bavail) * bsize;
    const freed = await this.#free(wanted, MIN_AGE_MS, signal);
    if (freed >= wanted) return;
    const text = `Attempted to free ${wanted} bytes, but only found ${freed} bytes eligible to free.`;
    this.#deps.event('FreeDiskSpaceFailed', `Failed to garbage collect required amount of images. ${text}`);
  }

  /** Removes every image that no container uses, however new it is. */
  async removeUnused(signal: AbortSignal): Promise<void> {
    await this.#look(signal);
    await this.#free(Number.POSITIVE_INFINITY, 0, signal);
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
    const { cri, clock, logger } = this.#deps;
    const now = clock.monotonic();
    const removable = [...this.#uses.values()]
      .filter(({ image, inUse, firstSeenMs }) => !inUse && !this.#isKept(image) && now - firstSeenMs >= minAgeMs)
      .sort((a, b) => a.lastUsedMs - b.lastUsedMs || a.firstSeenMs - b.firstSeenMs);
    let freed = 0;
    for (const { image } of removable) {
      if (freed >= wantedBytes || signal.aborted) break;
      logger.info(
        { image: image.repoTags[0] ?? image.id, sizeBytes: image.size },
        'removing an image that nothing uses',
      );
      await cri.images.removeImage(image.id, { signal });
      await this.#deps.removed(image.id);
      this.#uses.delete(image.id);
      freed += image.size;
    }
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
