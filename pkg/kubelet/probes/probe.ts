import { CriError, isCriError, type RuntimeService } from '../../cri/index.ts';
import type { Container, Probe } from '../types.ts';
import { grpcCheck } from './grpc.ts';
import { type HTTPHeaders, type HTTPTarget, httpGet, tcpConnect } from './http.ts';

export interface ProbeTarget {
  readonly container: Container;
  readonly containerID: string;
  readonly podIP: string;
}

export interface ProbeResult {
  readonly ok: boolean;
  /** What the Unhealthy event says after `... probe failed: `. */
  readonly output: string;
  /** It succeeded, but not as it is meant to: what the ProbeWarning event says after `... probe warning: `. */
  readonly warning?: string;
}

const USER_AGENT = 'kube-probe/1.36';
const MAX_OUTPUT = 10 * 1024;

/** Carries out one probe. Throws when the probe itself cannot be carried out (the result is unknown then). */
export async function runProbe(probe: Probe, target: ProbeTarget, runtime: RuntimeService): Promise<ProbeResult> {
  const timeoutSeconds = probe.timeoutSeconds ?? 1;
  const timeoutMs = timeoutSeconds * 1000;
  if (probe.exec !== undefined) return execProbe(probe.exec.command ?? [], timeoutSeconds, target, runtime);
  if (probe.httpGet !== undefined) return httpProbe(probe.httpGet, timeoutMs, target);
  if (probe.tcpSocket !== undefined) {
    const { host, port } = probe.tcpSocket;
    return failureOf(tcpConnect(host || target.podIP, resolvePort(port, target.container), timeoutMs));
  }
  if (probe.grpc !== undefined) {
    const failure = await grpcCheck(target.podIP, probe.grpc.port, probe.grpc.service ?? '', timeoutMs);
    return { ok: failure === undefined, output: failure ?? '' };
  }
  throw new Error(`missing probe handler for ${target.container.name}`);
}

async function execProbe(
  command: readonly string[],
  timeoutSeconds: number,
  target: ProbeTarget,
  runtime: RuntimeService,
): Promise<ProbeResult> {
  try {
    const { stdout, stderr, exitCode } = await runtime.execSync(target.containerID, command, timeoutSeconds);
    const output = Buffer.concat([stdout, stderr]).subarray(0, MAX_OUTPUT).toString();
    return { ok: exitCode === 0, output };
  } catch (error) {
    if (isCriError(error, 'DeadlineExceeded') || (error instanceof CriError && error.detail.includes('timeout'))) {
      return { ok: false, output: `command "${command.join(' ')}" timed out` };
    }
    throw error;
  }
}

type HTTPGet = NonNullable<Probe['httpGet']>;

/** Where an httpGet probe or hook goes. */
export function httpTarget(action: HTTPGet, container: Container, podIP: string, userAgent: string): HTTPTarget {
  return {
    scheme: action.scheme?.toLowerCase() === 'https' ? 'https' : 'http',
    host: action.host || podIP,
    port: resolvePort(action.port, container),
    path: action.path ?? '/',
    headers: requestHeaders(action.httpHeaders ?? [], userAgent),
  };
}

/** Of several values each is sent, but for the host's; an empty one takes the default of these away. */
function requestHeaders(given: NonNullable<HTTPGet['httpHeaders']>, userAgent: string): HTTPHeaders {
  const headers = new Map<string, string | string[]>([['connection', 'close']]);
  for (const { name, value } of given) {
    const key = name.toLowerCase();
    const before = headers.get(key) ?? [];
    if (key === 'connection') headers.set(key, value);
    else if (key === 'host') headers.set(key, headers.get(key) ?? value);
    else headers.set(key, [...(Array.isArray(before) ? before : [before]), value]);
  }
  for (const [key, value] of [
    ['user-agent', userAgent],
    ['accept', '*/*'],
  ] as const) {
    const own = headers.get(key);
    if (own === undefined) headers.set(key, value);
    else if (own[0] === '') headers.delete(key);
  }
  return Object.fromEntries(headers);
}

async function httpProbe(action: HTTPGet, timeoutMs: number, target: ProbeTarget): Promise<ProbeResult> {
  const where = httpTarget(action, target.container, target.podIP, USER_AGENT);
  try {
    const { status, body } = await httpGet(where, timeoutMs);
    if (status >= 300 && status < 400) {
      return { ok: true, output: body, warning: `Probe terminated redirects, Response body: ${body}` };
    }
    if (status >= 200 && status < 300) return { ok: true, output: body };
    return { ok: false, output: `HTTP probe failed with statuscode: ${status}` };
  } catch (error) {
    return { ok: false, output: error instanceof Error ? error.message : String(error) };
  }
}

async function failureOf(attempt: Promise<void>): Promise<ProbeResult> {
  try {
    await attempt;
    return { ok: true, output: '' };
  } catch (error) {
    return { ok: false, output: error instanceof Error ? error.message : String(error) };
  }
}

/** A port number, or the number of the container's port with that name. Throws as upstream does when there is none. */
export function resolvePort(port: number | string, container: Container): number {
  const name = String(port);
  const number = /^\d+$/.test(name) ? Number(name) : container.ports?.find((one) => one.name === name)?.containerPort;
  if (number === undefined) throw new Error(`strconv.Atoi: parsing ${JSON.stringify(name)}: invalid syntax`);
  if (number < 1 || number > 65_535) throw new Error(`invalid port number: ${number}`);
  return number;
}
