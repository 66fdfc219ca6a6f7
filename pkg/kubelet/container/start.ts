import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { resources } from '../../api/generated/resources.ts';
import { type AuthConfig, criErrorText, type PodSandboxConfig } from '../../cri/index.ts';
import { type KubeletContext, podLogDirectory } from '../context.ts';
import { ImageError } from '../images/image-manager.ts';
import { parseImageName } from '../images/image-name.ts';
import { credentialsFor } from '../images/pull-secrets.ts';
import type { StartAction } from '../pod/plan.ts';
import type { RuntimeContainer } from '../runtime/pod-runtime.ts';
import type { Container, Pod, Secret } from '../types.ts';
import type { MountedVolume } from '../volumes/volume.ts';
import { containerConfig } from './container-config.ts';
import { containerSubject, podSubject } from './container-events.ts';
import { ContainerConfigError } from './env.ts';
import { FieldValueError } from './field-values.ts';
import { HookError, hookDeps, runHook } from './hooks.ts';

/** A container could not be started: its waiting reason and message. */
export class StartError extends Error {
  readonly reason: string;
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
  readonly podIPs: readonly string[];
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
    event('Warning', 'Failed', `Error: ${criErrorText(error)}`);
    throw new StartError('RunContainerError', criErrorText(error), { cause: error });
  }
  event('Normal', 'Started', 'Container started');
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

const CONTAINER_TYPES = { app: 'container', init: 'init_container', ephemeral: 'ephemeral_container' } as const;

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
        container,
        restartCount: action.restartCount,
        image,
        targetID: targetOf(input),
      },
      context,
    );
    await mkdir(join(podLogDirectory(context.options, pod), container.name), { recursive: true, mode: 0o755 });
    try {
      const id = await cri.runtime.createContainer(input.sandboxID, config, sandbox, { signal });
      context.cpuPinning?.made(id, config.linux?.resources?.cpusetCpus ?? '');
      return id;
    } catch (error) {
      const retryAtMs = context.deps.clock.now() + CONFIG_RETRY_MS;
      throw new StartError('CreateContainerError', criErrorText(error), { cause: error, retryAtMs });
    }
  } catch (error) {
    signal.throwIfAborted();
    const failure = startError(error, context);
    event('Warning', 'Failed', `Error: ${error instanceof ImageError ? failure.reason : failure.message}`);
    throw failure;
  }
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
  const retryAtMs = context.deps.clock.now() + CONFIG_RETRY_MS;
  if (error instanceof StartError) return error;
  if (error instanceof ImageError) {
    return new StartError(error.reason, error.message, { cause: error, retryAtMs: error.retryAtMs ?? retryAtMs });
  }
  const message = error instanceof Error ? error.message : String(error);
  const known = error instanceof ContainerConfigError || error instanceof FieldValueError;
  return new StartError(known ? 'CreateContainerConfigError' : 'CreateContainerError', message, {
    cause: error,
    retryAtMs,
  });
}

/** Upstream looks at the pull secrets before every start, whether or not something will be pulled. */
async function tellOfMissingSecrets(pod: Pod, context: KubeletContext): Promise<void> {
  const { missing } = await pullSecrets(pod, context);
  if (missing.length === 0) return;
  const message = `Unable to retrieve some image pull secrets (${missing.join(', ')}); attempting to pull the image may not succeed.`;
  context.deps.recorder.event(podSubject(pod), 'Warning', 'FailedToRetrieveImagePullSecret', message);
}

async function pullCredentials(pod: Pod, image: string, context: KubeletContext): Promise<AuthConfig[]> {
  const { secrets } = await pullSecrets(pod, context);
  return credentialsFor(parseImageName(image), secrets);
}

async function pullSecrets(pod: Pod, context: KubeletContext): Promise<{ secrets: Secret[]; missing: string[] }> {
  const { namespace, uid } = pod.metadata;
  const secrets: Secret[] = [];
  const missing: string[] = [];
  for (const { name = '' } of pod.spec.imagePullSecrets ?? []) {
    const secret = await context.objects.get(resources.secrets, namespace, name, uid);
    if (secret === undefined) missing.push(name);
    else secrets.push(secret);
  }
  return { secrets, missing };
}
