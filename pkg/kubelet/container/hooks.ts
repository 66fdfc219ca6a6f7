import type { Clock } from '../../base/clock.ts';
import type { RuntimeService } from '../../cri/index.ts';
import type { KubeletContext } from '../context.ts';
import { type HTTPTarget, hostPort, httpGet, PlainAnswerError, tcpConnect } from '../probes/http.ts';
import { httpTarget, resolvePort } from '../probes/probe.ts';
import type { Container, LifecycleHandler, Pod } from '../types.ts';
import { podText } from '../types.ts';
import { podSubject } from './container-events.ts';

export interface HookTarget {
  readonly pod: Pod;
  readonly container: Container;
  readonly containerID: string;
  readonly podIP: string;
}

/** A lifecycle hook failed. */
export class HookError extends Error {
  override readonly name = 'HookError';
}

const HTTP_TIMEOUT_MS = 30_000;
const USER_AGENT = 'kube-lifecycle/1.36';

export interface HookDeps {
  readonly runtime: RuntimeService;
  readonly clock: Clock;
  /** Nothing answers on a node that only pretends. */
  readonly hollow: boolean;
  /** A hook over HTTPS was carried out without TLS: what the pod's event says. */
  readonly fellBack: (pod: Pod, message: string) => void;
}

/** What hooks need of their kubelet. */
export function hookDeps({ deps, options, metrics }: KubeletContext): HookDeps {
  return {
    runtime: deps.cri.runtime,
    clock: deps.clock,
    hollow: options.hollow === true,
    fellBack: (pod, message) => {
      metrics.hookFellBack();
      deps.recorder.event(podSubject(pod), 'Warning', 'LifecycleHTTPFallback', message);
    },
  };
}

/** Runs a postStart or preStop handler to its end. Throws a HookError; resolves early when `signal` aborts. */
export async function runHook(
  handler: LifecycleHandler,
  target: HookTarget,
  deps: HookDeps,
  signal: AbortSignal,
): Promise<void> {
  const { exec, httpGet: http, tcpSocket, sleep } = handler;
  if (exec !== undefined) await execHook(exec.command ?? [], target, deps.runtime, signal);
  else if (sleep !== undefined) await deps.clock.sleep(sleep.seconds * 1000, signal);
  else if (deps.hollow) return;
  else if (http !== undefined) await httpHook(http, target, deps);
  else if (tcpSocket !== undefined) {
    const port = resolvePort(tcpSocket.port, target.container);
    await tcpConnect(tcpSocket.host || target.podIP, port, HTTP_TIMEOUT_MS).catch((error: unknown) => {
      throw new HookError(String(error instanceof Error ? error.message : error));
    });
  }
}

async function execHook(
  command: readonly string[],
  target: HookTarget,
  runtime: RuntimeService,
  signal: AbortSignal,
): Promise<void> {
  const { pod, container, containerID } = target;
  const where = `Exec lifecycle hook ([${command.join(' ')}]) for Container "${container.name}" in Pod "${podText(pod)}" failed`;
  let result: Awaited<ReturnType<RuntimeService['execSync']>>;
  try {
    result = await runtime.execSync(containerID, command, 0, { signal });
  } catch (error) {
    throw new HookError(`${where} - error: ${error instanceof Error ? error.message : error}, message: ""`, {
      cause: error,
    });
  }
  if (result.exitCode === 0) return;
  const errors = Buffer.from(result.stderr).toString();
  const output = JSON.stringify(Buffer.concat([result.stdout, result.stderr]).toString());
  throw new HookError(
    `${where} - error: command '${command.join(' ')}' exited with ${result.exitCode}: ${errors}, message: ${output}`,
  );
}

type HTTPGet = NonNullable<LifecycleHandler['httpGet']>;

async function httpHook(action: HTTPGet, target: HookTarget, { fellBack }: HookDeps): Promise<void> {
  const { container, pod } = target;
  try {
    const where = httpTarget(action, container, target.podIP, USER_AGENT);
    try {
      await httpGet(where, HTTP_TIMEOUT_MS);
    } catch (error) {
      if (!(error instanceof PlainAnswerError) || !(await answersPlainly(where))) throw error;
      const host = hostPort(where.host, where.port);
      fellBack(pod, `request to HTTPS lifecycle hook ${host} got HTTP response, retry with HTTP succeeded`);
    }
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    const where = `HTTP lifecycle hook (${action.path ?? '/'}) for Container "${container.name}" in Pod "${podText(pod)}" failed`;
    throw new HookError(`${where} - error: ${text}`, { cause: error });
  }
}

/** The same request without TLS, and without what only a server of that kind should see. */
function answersPlainly(target: HTTPTarget): Promise<boolean> {
  const { authorization: _, ...headers } = target.headers;
  return httpGet({ ...target, scheme: 'http', headers }, HTTP_TIMEOUT_MS).then(
    () => true,
    () => false,
  );
}
