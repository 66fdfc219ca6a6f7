import { access } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { parseTime } from '../../api/time.ts';
import { errnoCode } from '../../base/errors.ts';
import type { KubeletContext } from '../context.ts';
import { type LogOptions, readLogs } from '../logs/read-logs.ts';
import type { PodManager } from '../pod/pod-manager.ts';
import type { RuntimeContainer } from '../runtime/pod-runtime.ts';
import type { Pod } from '../types.ts';
import { specContainers } from '../types.ts';
import { containerPath, flag, RequestError, wholeNumber } from './requests.ts';

/** Streams `/containerLogs/NAMESPACE/POD/CONTAINER`. */
export async function serveLogs(
  parts: readonly string[],
  query: URLSearchParams,
  response: ServerResponse,
  pods: PodManager,
  context: KubeletContext,
): Promise<void> {
  const { namespace, pod: podName, container: name } = containerPath(parts);
  const worker = pods.find(namespace, podName);
  if (worker === undefined) throw new RequestError(404, `pod "${podName}" not found in namespace "${namespace}"`);
  const { pod } = worker;
  if (!specContainers(pod.spec).some(({ container }) => container.name === name)) {
    throw new RequestError(404, `container "${name}" not found in pod "${podName}"`);
  }
  const options = logOptions(query, context.deps.clock.now());
  const container = chooseRun(pod, worker.runtime.containers, name, flag(query, 'previous'));
  await checkLog(container.logPath);
  response.writeHead(200, { 'content-type': 'text/plain' });
  response.flushHeaders();
  const closed = new AbortController();
  response.once('close', () => closed.abort());
  const running = (): boolean =>
    worker.runtime.containers.some(({ id, state }) => id === container.id && state === 'running');
  const source = {
    path: container.logPath,
    running,
    ended: (signal: AbortSignal) => worker.untilEnded(container.id, signal),
  };
  for await (const chunk of readLogs(source, options, closed.signal)) {
    if (!response.write(chunk)) await drained(response, closed.signal);
  }
  response.end();
}

/** Throws a RequestError when the log is not there: somebody else removed it, or the runtime has not made it. */
async function checkLog(path: string): Promise<void> {
  try {
    await access(path);
  } catch (error) {
    const why = errnoCode(error) === 'ENOENT' ? 'no such file or directory' : String(errnoCode(error));
    throw new RequestError(400, `failed to try resolving symlinks in path "${path}": lstat ${path}: ${why}`);
  }
}

function drained(response: ServerResponse, closed: AbortSignal): Promise<void> {
  if (closed.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      closed.removeEventListener('abort', done);
      resolve();
    };
    response.once('drain', done);
    closed.addEventListener('abort', done, { once: true });
  });
}

/** The run whose log is wanted; an error that says what the container does instead. */
function chooseRun(
  pod: Pod,
  containers: readonly RuntimeContainer[],
  name: string,
  previous: boolean,
): RuntimeContainer {
  const runs = containers.filter((container) => container.name === name);
  const podName = pod.metadata.name;
  if (previous) {
    const [newest] = runs;
    // While a container waits to be started again its last run is the previous one.
    const last = newest?.state === 'running' ? runs[1] : (runs[1] ?? newest);
    if (last === undefined)
      throw new RequestError(400, `previous terminated container "${name}" in pod "${podName}" not found`);
    return last;
  }
  const [run] = runs.filter(({ state }) => state === 'running' || state === 'exited');
  if (run !== undefined) return run;
  const { status } = pod;
  const all = [
    ...(status.containerStatuses ?? []),
    ...(status.initContainerStatuses ?? []),
    ...(status.ephemeralContainerStatuses ?? []),
  ];
  const waiting = all.find((candidate) => candidate.name === name)?.state?.waiting;
  if (waiting?.reason === 'ErrImagePull' || waiting?.reason === 'ImagePullBackOff') {
    const why = waiting.reason === 'ErrImagePull' ? "image can't be pulled" : 'trying and failing to pull image';
    throw new RequestError(400, `container "${name}" in pod "${podName}" is waiting to start: ${why}`);
  }
  const reason = waiting?.reason;
  if (reason === undefined) throw new RequestError(400, `container "${name}" in pod "${podName}" is not available`);
  throw new RequestError(400, `container "${name}" in pod "${podName}" is waiting to start: ${reason}`);
}

function logOptions(query: URLSearchParams, nowMs: number): LogOptions {
  const seconds = wholeNumber(query, 'sinceSeconds');
  const limitBytes = wholeNumber(query, 'limitBytes');
  // As upstream words it.
  if (limitBytes === 0 || seconds === 0) throw new RequestError(422, '{"message": "Invalid request."}');
  const sinceTime = query.get('sinceTime');
  const stream = query.get('stream');
  if (stream !== null && !['All', 'Stdout', 'Stderr'].includes(stream))
    throw new RequestError(400, `unknown stream ${stream}`);
  return {
    follow: flag(query, 'follow'),
    timestamps: flag(query, 'timestamps'),
    tailLines: wholeNumber(query, 'tailLines'),
    limitBytes,
    ...(seconds !== undefined
      ? { sinceMs: nowMs - seconds * 1000 }
      : sinceTime === null
        ? {}
        : { sinceMs: timeOf(sinceTime) }),
    ...(stream === null ? {} : { stream: stream as LogOptions['stream'] }),
  };
}

function timeOf(text: string): number {
  try {
    return parseTime(text);
  } catch (cause) {
    throw new RequestError(400, '{"message": "Unable to decode query."}', { cause });
  }
}
