import { formatDuration } from '../../api/duration.ts';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { AuthConfig, Image, ImageService, PodSandboxConfig } from '../../cri/index.ts';
import { RestartBackoff } from '../pod/restart-backoff.ts';
import { fullImageName, type ImageName, ImageNameError, parseImageName } from './image-name.ts';
import { type PullFailure, pullErrorText, pullFailure } from './pull-failure.ts';
import { PullQueue } from './pull-queue.ts';
import type { PulledImages } from './pulled-images.ts';

/** The image of a container is not there; `reason` is the container's waiting reason. */
export class ImageError extends Error {
  readonly reason: PullFailure['reason'] | 'InvalidImageName' | 'ErrImageNeverPull' | 'ImagePullBackOff';
  /** When trying again can help; monotonic. */
  readonly retryAtMs: number | undefined;

  constructor(reason: ImageError['reason'], message: string, retryAtMs?: number) {
    super(message);
    this.name = 'ImageError';
    this.reason = reason;
    this.retryAtMs = retryAtMs;
  }
}

interface Pull {
  /** The pull itself, in milliseconds. */
  readonly tookMs: number;
  /** Which of the pod's own brought it; undefined: none was needed. */
  readonly auth: AuthConfig | undefined;
}

const DISCARD_AGAIN_MS = 600_000;

export interface ImageRequest {
  readonly podUID: string;
  readonly image: string;
  readonly policy: string;
  readonly sandbox: PodSandboxConfig;
  /** The pod's own; asked only when it matters what it has. */
  readonly credentials: () => Promise<readonly AuthConfig[]>;
  readonly event: (type: 'Normal' | 'Warning', reason: string, message: string) => void;
}

export interface ImageManagerDeps {
  readonly images: ImageService;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Brings an image that is in an archive of the node into the runtime, by its full name; false: there is none. */
  readonly restore?: (name: string, signal: AbortSignal) => Promise<boolean>;
  readonly pulled: PulledImages;
  /** What the node has for an image: what these bring is for all pods. Absent: nothing. */
  readonly nodeCredentials?: (image: ImageName) => Promise<readonly AuthConfig[]>;
  /** Absent: no limit. */
  readonly maxParallelPulls?: number;
}

/** Gets images onto the node by pull policy, with back-off per pod and image; equal pulls are done once. */
export class ImageManager {
  readonly #deps: ImageManagerDeps;
  readonly #backoff = new RestartBackoff();
  readonly #failures = new Map<string, PullFailure & { readonly failedAtMs: number }>();
  /** By image id: when, monotonic. */
  readonly #discarded = new Map<string, number>();
  readonly #pulls: PullQueue<Pull>;

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
    const present = await this.#present(name, policy, signal);
    if (present !== undefined && policy !== 'Always' && (await this.#isAllowed(present, name, request))) {
      event('Normal', 'Pulled', `Container image "${image}" already present on machine and can be accessed by the pod`);
      return present;
    }
    if (policy === 'Never') {
      // Whether there is one that the pod may not have is not told.
      const message = `Container image "${image}" is not present with pull policy of Never`;
      event('Warning', 'ErrImageNeverPull', message);
      throw new ImageError('ErrImageNeverPull', message);
    }
    return this.#pull(request, name, signal);
  }

  /** What a secret of another pod brought here is not for those who have none. */
  async #isAllowed({ id }: Image, name: ImageName, { credentials }: ImageRequest): Promise<boolean> {
    const repository = repositoryOf(name);
    if (!this.#deps.pulled.isRestricted(id, repository)) return true;
    return this.#deps.pulled.allows(id, repository, await credentials());
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
    await this.#deps.pulled.forget(image.id);
  }

  async #present(name: ImageName, policy: string, signal: AbortSignal): Promise<Image | undefined> {
    const { images, restore } = this.#deps;
    const present = await images.imageStatus(name.reference, { signal });
    if (present !== undefined || policy === 'Always' || restore === undefined) return present;
    if (!(await restore(fullImageName(name), signal))) return undefined;
    const restored = await images.imageStatus(name.reference, { signal });
    if (restored !== undefined) await this.#deps.pulled.forget(restored.id);
    return restored;
  }

  release(podUID: string): void {
    for (const key of this.#failures.keys()) {
      if (!key.startsWith(`${podUID}_`)) continue;
      this.#failures.delete(key);
      this.#backoff.delete(key);
    }
  }

  async #pull(request: ImageRequest, name: ImageName, signal: AbortSignal): Promise<Image> {
    const { image, podUID, event } = request;
    const { reference } = name;
    const { clock, images } = this.#deps;
    const key = `${podUID}_${image}`;
    const failed = this.#failures.get(key);
    const wait = failed && this.#backoff.waitFor(key, failed.failedAtMs, clock.monotonic());
    if (failed !== undefined && wait !== undefined) {
      const message = `Back-off pulling image "${image}"`;
      event('Normal', 'BackOff', message);
      throw new ImageError('ImagePullBackOff', `${message}: ${failed.reason}: ${failed.message}`, wait.untilMs);
    }
    event('Normal', 'Pulling', `Pulling image "${image}"`);
    const started = clock.monotonic();
    try {
      const { tookMs, auth } = await this.#pullOnce(request, name, signal);
      const found = await images.imageStatus(reference, { signal });
      if (found === undefined) throw new Error(`image "${image}" is not there after it was pulled`);
      await this.#deps.pulled.pulled(found.id, repositoryOf(name), auth);
      const took = formatDuration(Math.round(tookMs));
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
      const text = pullErrorText(error instanceof AggregateError ? error.errors : [error]);
      event('Warning', 'Failed', `Failed to pull image "${image}": ${text}`);
      const failure = pullFailure(image, text);
      const now = clock.monotonic();
      this.#backoff.tried(key, failed?.failedAtMs ?? now, now);
      this.#failures.set(key, { ...failure, failedAtMs: now });
      throw new ImageError(failure.reason, failure.message, now);
    }
  }

  async #pullOnce({ credentials, sandbox }: ImageRequest, name: ImageName, signal: AbortSignal): Promise<Pull> {
    const { clock, nodeCredentials } = this.#deps;
    const { reference } = name;
    const own = await credentials();
    const auths = [...own, ...((await nodeCredentials?.(name)) ?? [])];
    const pull = async (inTurn: AbortSignal): Promise<Pull> => {
      const started = clock.monotonic();
      const auth = await this.#tryCredentials(reference, auths, sandbox, inTurn);
      return { tookMs: clock.monotonic() - started, auth: auth !== undefined && own.includes(auth) ? auth : undefined };
    };
    return this.#pulls.run(`${reference} ${JSON.stringify([own.length, auths])}`, pull, signal);
  }

  /** Returns those that the registry accepted; throws an AggregateError of what was said to each. */
  async #tryCredentials(
    reference: string,
    credentials: readonly AuthConfig[],
    sandbox: PodSandboxConfig,
    signal: AbortSignal,
  ): Promise<AuthConfig | undefined> {
    const failures: unknown[] = [];
    for (const auth of credentials.length === 0 ? [undefined] : credentials) {
      try {
        await this.#deps.images.pullImage(reference, auth, sandbox, { signal });
        return auth;
      } catch (error) {
        if (signal.aborted) throw error;
        failures.push(error);
      }
    }
    throw new AggregateError(failures);
  }
}

function repositoryOf({ registry, repository }: ImageName): string {
  return `${registry}/${repository}`;
}
