import { join } from 'node:path';
import { criErrorText, isCriError, type PodSandboxConfig } from '../../cri/index.ts';
import { type KubeletContext, podLogDirectory } from '../context.ts';
import { ImageError } from '../images/image-manager.ts';
import type { VolumeImage, VolumeImages } from '../images/image-volumes.ts';
import { pullCredentials, tellOfMissingSecrets } from '../images/pod-pull-secrets.ts';
import { linkLog } from '../logs/log-links.ts';
import type { StartAction } from '../pod/plan.ts';
import { makeLogDirectory } from '../pod/pod-directories.ts';
import type { RuntimeContainer } from '../runtime/pod-runtime.ts';
import type { Container, Pod } from '../types.ts';
import type { MountedVolume } from '../volumes/volume.ts';
import { containerConfig, containerLogPath } from './container-config.ts';
import { containerSubject } from './container-events.ts';
import { ContainerConfigError } from './env.ts';
import { FieldValueError } from './field-values.ts';
import { HookError, hookDeps, runHook } from './hooks.ts';

/** A container could not be started: its waiting reason and message. */
export class StartError extends Error {
  readonly reason: string;
  /** Monotonic. */
  readonly retryAtMs: number | undefined;

  constructor(reason: string, message: string, options: { cause?: unknown; retryAtMs?: number } = {}) {
    super(message, { cause: options.cause });
    this.name = 'StartError';
    this.reason = reason;
    this.retryAtMs = options.retryAtMs;
  }
}

export interface StartInput {
  readonly pod: Pod;
  readonly action: StartAction;
  readonly sandboxID: string;
  readonly sandbox: PodSandboxConfig;
  readonly volumes: ReadonlyMap<string, MountedVolume>;
  /** Brings the images of the pod's volumes onto the node. */
  readonly images: () => Promise<VolumeImages>;
  readonly podIPs: readonly string[];
  /** A container was made, and may not be left out of sight, whatever becomes of it. */
  readonly made: (id: string) => void;
  /** By container name: what an ephemeral container may target. */
  readonly running: (name: string) => RuntimeContainer | undefined;
}

/** Pulls, creates and starts one container and runs its postStart hook. Throws a StartError when it does not come to run. */
export async function startContainer(input: StartInput, context: KubeletContext, signal: AbortSignal): Promise<void> {
  const { pod, action } = input;
  const { recorder, cri } = context.deps;
  const event = (type: 'Normal' | 'Warning', reason: string, message: string): void =>
    recorder.event(containerSubject(pod, action), type, reason, message);
  const id = await create(input, context, event, signal);
  event('Normal', 'Created', 'Container created');
  try {
    context.metrics.containerStarted(CONTAINER_TYPES[action.kind]);
    await cri.runtime.startContainer(id, { signal });
  } catch (error) {
    signal.throwIfAborted();
    // Ids would make every event one of its own.
    event('Warning', 'Failed', `Error: ${criErrorText(error).replaceAll(id, action.container.name)}`);
    throw new StartError('RunContainerError', criErrorText(error), { cause: error });
  }
  event('Normal', 'Started', 'Container started');
  await link(input, id, context);
  const postStart = action.container.lifecycle?.postStart;
  if (postStart === undefined) return;
  const target = { pod, container: action.container as Container, containerID: id, podIP: input.podIPs[0] ?? '' };
  try {
    await runHook(postStart, target, hookDeps(context), signal);
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof HookError)) throw error;
    event('Warning', 'FailedPostStartHook', 'PostStartHook failed');
    event('Normal', 'Killing', 'FailedPostStartHook');
    await cri.runtime.stopContainer(id, pod.spec.terminationGracePeriodSeconds ?? 30, { signal });
    throw new StartError('PostStartHookError', error.message, { cause: error });
  }
}

/** Log collectors find the container by its link; without it it runs all the same. */
async function link({ pod, action }: StartInput, id: string, { options, deps }: KubeletContext): Promise<void> {
  if (options.containerLogsDir === undefined) return;
  const { name } = action.container;
  const logPath = join(podLogDirectory(options, pod), containerLogPath(name, action.restartCount));
  await linkLog(options.containerLogsDir, { pod: pod.metadata, name, id }, logPath).catch((err: unknown) =>
    deps.logger.warn({ err, pod: pod.metadata.name, container: name }, 'container log could not be linked'),
  );
}

export const CONTAINER_TYPES = { app: 'container', init: 'init_container', ephemeral: 'ephemeral_container' } as const;

type RecordEvent = (type: 'Normal' | 'Warning', reason: string, message: string) => void;

async function create(
  input: StartInput,
  context: KubeletContext,
  event: RecordEvent,
  signal: AbortSignal,
): Promise<string> {
  const { pod, action, sandbox } = input;
  const { container } = action;
  const { cri } = context.deps;
  try {
    await tellOfMissingSecrets(pod, context);
    const images = mountedImages(container, await input.images());
    const image = await context.images.ensure(
      {
        podUID: pod.metadata.uid,
        image: container.image ?? '',
        policy: container.imagePullPolicy ?? 'IfNotPresent',
        sandbox,
        credentials: () => pullCredentials(pod, container.image ?? '', context),
        event,
      },
      signal,
    );
    const config = await containerConfig(
      {
        ...input,
        images,
        container,
        restartCount: action.restartCount,
        image,
        targetID: targetOf(input),
      },
      context,
    );
    await makeLogDirectory(pod, container.name, context);
    try {
      const id = await cri.runtime.createContainer(input.sandboxID, config, sandbox, { signal });
      input.made(id);
      countImages(container, images, context, false);
      context.cpuPinning?.made(id, config.linux?.resources?.cpusetCpus ?? '');
      return id;
    } catch (error) {
      signal.throwIfAborted();
      countImages(container, images, context, criErrorText(error).startsWith(IMAGE_VOLUME_ERROR));
      if (await isImageBroken(error, input.sandboxID, context, signal)) await context.images.discard(image, signal);
      const retryAtMs = context.deps.clock.monotonic() + CONFIG_RETRY_MS;
      throw new StartError('CreateContainerError', criErrorText(error), { cause: error, retryAtMs });
    }
  } catch (error) {
    signal.throwIfAborted();
    const failure = startError(error, context);
    event('Warning', 'Failed', `Error: ${error instanceof ImageError ? failure.reason : failure.message}`);
    throw failure;
  }
}

/** What a container is made of is its sandbox and its image: when something was not found and the sandbox is there, it is the image. */
async function isImageBroken(
  error: unknown,
  sandboxID: string,
  { deps }: KubeletContext,
  signal: AbortSignal,
): Promise<boolean> {
  if (!isCriError(error, 'NotFound')) return false;
  return deps.cri.runtime.podSandboxStatus(sandboxID, { signal }).then(
    () => true,
    () => false,
  );
}

/** The images among the volumes that a container mounts. Throws the ImageError of one that is not there. */
function mountedImages(
  { volumeMounts = [] }: StartAction['container'],
  images: VolumeImages,
): Map<string, VolumeImage> {
  const mounted = new Map<string, VolumeImage>();
  for (const { name } of volumeMounts) {
    const image = images.get(name);
    if (image instanceof ImageError) throw image;
    if (image !== undefined) mounted.set(name, image);
  }
  return mounted;
}

/** How a runtime's error begins that could not mount an image. */
const IMAGE_VOLUME_ERROR = 'ImageVolumeMountFailed';

function countImages(
  { volumeMounts = [] }: StartAction['container'],
  images: ReadonlyMap<string, VolumeImage>,
  { metrics }: KubeletContext,
  failed: boolean,
): void {
  const mounts = volumeMounts.filter(({ name }) => images.has(name)).length;
  metrics.volumes.imageVolumes(images.size, mounts, failed);
}

/** The container whose processes an ephemeral container is to see. Throws a ContainerConfigError when it does not run. */
function targetOf({ action: { container }, running }: StartInput): string | undefined {
  const name = 'targetContainerName' in container ? container.targetContainerName : undefined;
  if (name === undefined || name === '') return undefined;
  const target = running(name);
  if (target === undefined) throw new ContainerConfigError(`unable to find target container ${name}`);
  return target.id;
}

/** Errors of the configuration are looked at again this much later, if no object changed before. */
const CONFIG_RETRY_MS = 10_000;

function startError(error: unknown, context: KubeletContext): StartError {
  const retryAtMs = context.deps.clock.monotonic() + CONFIG_RETRY_MS;
  if (error instanceof StartError) return error;
  if (error instanceof ImageError) {
    return new StartError(error.reason, error.message, { cause: error, retryAtMs: error.retryAtMs ?? retryAtMs });
  }
  const message = criErrorText(error);
  const known = error instanceof ContainerConfigError || error instanceof FieldValueError;
  return new StartError(known ? 'CreateContainerConfigError' : 'CreateContainerError', message, {
    cause: error,
    retryAtMs,
  });
}
