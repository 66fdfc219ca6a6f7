import { formatDuration } from '../../api/duration.ts';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import {
  type AuthConfig,
  criErrorText,
  type Image,
  type ImageService,
  type PodSandboxConfig,
} from '../../cri/index.ts';
import { RestartBackoff } from '../pod/restart-backoff.ts';
import { fullImageName, type ImageName, ImageNameError, parseImageName } from './image-name.ts';
import { PullQueue } from './pull-queue.ts';

/** The image of a container is not there; `reason` is the container's waiting reason. */
export class ImageError extends Error {
  readonly reason: 'InvalidImageName' | 'ErrImageNeverPull' | 'ErrImagePull' | 'ImagePullBackOff' | 'ImageInspectError';
  /** When trying again can help; monotonic. */
  readonly retryAtMs: number | undefined;

  constructor(reason: ImageError['reason'], message: string, retryAtMs?: number) {
    super(message);
    this.name = 'ImageError';
    this.reason = reason;
    this.retryAtMs = retryAtMs;
  }
}

const DISCARD_AGAIN_MS = 600_000;

export interface ImageRequest {
  readonly podUID: string;
  readonly image: string;
  readonly policy: string;
  readonly sandbox: PodSandboxConfig;
  /** Asked only when the image is pulled. */
  readonly credentials: () => Promise<readonly AuthConfig[]>;
  readonly event: (type: 'Normal' | 'Warning', reason: string, message: string) => void;
}

export interface ImageManagerDeps {
  readonly images: ImageService;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Brings an image that is in an archive of the node into the runtime, by its full name; false: there is none. */
  readonly restore?: (name: string, signal: AbortSignal) => Promise<boolean>;
  /** Absent: no limit. */
  readonly maxParallelPulls?: number;
}

/** Gets images onto the node by pull policy, with back-off per pod and image; equal pulls are done once. */
export class ImageManager {
  readonly #deps: ImageManagerDeps;
  readonly #backoff = new RestartBackoff();
  readonly #failures = new Map<string, { failedAtMs: number; message: string }>();
  /** By image id: when, monotonic. */
  readonly #discarded = new Map<string, number>();
  /** Yields how long the pull itself took, in milliseconds. */
  readonly #pulls: PullQueue<number>;

  constructor(deps: ImageManagerDeps) {
    this.#deps = deps;
    this.#pulls = new PullQueue(deps.maxParallelPulls);
  }

  /** Returns the image when it is there; throws an ImageError otherwise. Records the events of upstream's image manager. */
  async ensure(request: ImageRequest, signal: AbortSignal): Promise<Image> {
    const { image, policy, event } = request;
    let name: ImageName;
    try {
      name = parseImageName(image);
    } catch (error) {
      if (!(error instanceof ImageNameError)) throw error;
      const message = `Failed to apply default image tag "${image}": ${error.message}`;
      event('Warning', 'InspectFailed', message);
      throw new ImageError('InvalidImageName', message);
    }
    const { reference } = name;
    const present = await this.#present(name, policy, signal);
    if (present !== undefined && policy !== 'Always') {
      event('Normal', 'Pulled', `Container image "${image}" already present on machine and can be accessed by the pod`);
      return present;
    }
    if (policy === 'Never') {
      const message = `Container image "${image}" is not present with pull policy of Never`;
      event('Warning', 'ErrImageNeverPull', message);
      throw new ImageError('ErrImageNeverPull', message);
    }
    return this.#pull(request, reference, signal);
  }

  /**
   * An image that no container can be made of: it is taken away, so that the next start brings it anew. Not again and again: what
   * comes back may be no better.
   */
  async discard(image: Image, signal: AbortSignal): Promise<void> {
    const { clock, logger, images } = this.#deps;
    const before = this.#discarded.get(image.id) ?? Number.NEGATIVE_INFINITY;
    if (clock.monotonic() - before < DISCARD_AGAIN_MS) return;
    this.#discarded.set(image.id, clock.monotonic());
    logger.warn({ image: image.repoTags[0] ?? image.id }, 'removing an image whose content is not complete');
    await images.removeImage(image.id, { signal });
  }

  async #present(name: ImageName, policy: string, signal: AbortSignal): Promise<Image | undefined> {
    const { images, restore } = this.#deps;
    const present = await images.imageStatus(name.reference, { signal });
    if (present !== undefined || policy === 'Always' || restore === undefined) return present;
    if (!(await restore(fullImageName(name), signal))) return undefined;
    return images.imageStatus(name.reference, { signal });
  }

  release(podUID: string): void {
    for (const key of this.#failures.keys()) {
      if (!key.startsWith(`${podUID}_`)) continue;
      this.#failures.delete(key);
      this.#backoff.delete(key);
    }
  }

  async #pull(request: ImageRequest, reference: string, signal: AbortSignal): Promise<Image> {
    const { image, podUID, event } = request;
    const { clock, images } = this.#deps;
    const key = `${podUID}_${image}`;
    const failed = this.#failures.get(key);
    const wait = failed && this.#backoff.waitFor(key, failed.failedAtMs, clock.monotonic());
    if (failed !== undefined && wait !== undefined) {
      const message = `Back-off pulling image "${image}"`;
      event('Normal', 'BackOff', message);
      throw new ImageError('ImagePullBackOff', `${message}: ErrImagePull: ${failed.message}`, wait.untilMs);
    }
    event('Normal', 'Pulling', `Pulling image "${image}"`);
    const started = clock.monotonic();
    try {
      const pullMs = await this.#pullOnce(request, reference, signal);
      const found = await images.imageStatus(reference, { signal });
      if (found === undefined) throw new Error(`image "${image}" is not there after it was pulled`);
      const took = formatDuration(Math.round(pullMs));
      const waited = formatDuration(Math.round(clock.monotonic() - started));
      const size = `Image size: ${found.size} bytes.`;
      event(
        'Normal',
        'Pulled',
        `Successfully pulled image "${image}" in ${took} (${waited} including waiting). ${size}`,
      );
      this.#failures.delete(key);
      this.#backoff.delete(key);
      return found;
    } catch (error) {
      if (signal.aborted) throw error;
      const message = criErrorText(error);
      event('Warning', 'Failed', `Failed to pull image "${image}": ${message}`);
      const now = clock.monotonic();
      this.#backoff.tried(key, failed?.failedAtMs ?? now, now);
      this.#failures.set(key, { failedAtMs: now, message });
      throw new ImageError('ErrImagePull', message, now);
    }
  }

  async #pullOnce({ credentials, sandbox }: ImageRequest, reference: string, signal: AbortSignal): Promise<number> {
    const { clock } = this.#deps;
    const auths = await credentials();
    const pull = async (own: AbortSignal): Promise<number> => {
      const started = clock.monotonic();
      await this.#tryCredentials(reference, auths, sandbox, own);
      return clock.monotonic() - started;
    };
    return this.#pulls.run(`${reference} ${JSON.stringify(auths)}`, pull, signal);
  }

  async #tryCredentials(
    reference: string,
    credentials: readonly AuthConfig[],
    sandbox: PodSandboxConfig,
    signal: AbortSignal,
  ): Promise<void> {
    let failure: unknown;
    for (const auth of credentials.length === 0 ? [undefined] : credentials) {
      try {
        await this.#deps.images.pullImage(reference, auth, sandbox, { signal });
        return;
      } catch (error) {
        if (signal.aborted) throw error;
        failure = error;
      }
    }
    throw failure;
  }
}
