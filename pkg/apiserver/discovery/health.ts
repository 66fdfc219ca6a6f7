import { Counter, createMetrics, Gauge, type Metrics } from '../../base/metrics.ts';
import type { PathHandler } from '../http/request-handler.ts';
import { headers, sendBytes, sendText } from '../http/response.ts';

/** One named check; returns what is wrong, or undefined when all is well. */
export interface HealthCheck {
  readonly name: string;
  check(): string | undefined | Promise<string | undefined>;
  /** Only /readyz asks it. */
  readonly readyOnly?: boolean;
}

const ENDPOINTS = ['healthz', 'livez', 'readyz'] as const;
type Endpoint = (typeof ENDPOINTS)[number];

function isEndpoint(name: string): name is Endpoint {
  return (ENDPOINTS as readonly string[]).includes(name);
}

const PING: HealthCheck = { name: 'ping', check: () => undefined };

function checksOf(endpoint: Endpoint, checks: readonly HealthCheck[]): HealthCheck[] {
  return [PING, ...checks].filter((one) => endpoint === 'readyz' || one.readyOnly !== true);
}

/** Every path that `healthHandler` serves. */
export function healthPaths(checks: readonly HealthCheck[]): string[] {
  return ENDPOINTS.flatMap((endpoint) => [
    `/${endpoint}`,
    ...checksOf(endpoint, checks).map(({ name }) => `/${endpoint}/${name}`),
  ]);
}

/** How the checks ended, for /metrics/slis. Upstream: component-base/metrics/prometheus/slis. */
export class HealthMetrics {
  readonly metrics: Metrics = createMetrics();
  readonly #last: Gauge<'name' | 'type'>;
  readonly #all: Counter<'name' | 'type' | 'status'>;

  /** `startedMs`: when the process did, since 1970. */
  constructor(startedMs: number) {
    const registers = [this.metrics];
    new Gauge({
      name: 'process_start_time_seconds',
      help: '[ALPHA] When the process started, in seconds since 1970.',
      registers,
    }).set(startedMs / 1000);
    this.#last = new Gauge({
      name: 'kubernetes_healthcheck',
      help: '[STABLE] Whether the last run of a check of health found all well.',
      labelNames: ['name', 'type'],
      registers,
    });
    this.#all = new Counter({
      name: 'kubernetes_healthchecks_total',
      help: '[STABLE] How the runs of a check of health ended.',
      labelNames: ['name', 'type', 'status'],
      registers,
    });
  }

  /** `type` is the endpoint that was asked. */
  observe(name: string, type: Endpoint, isWell: boolean): void {
    this.#last.set({ name, type }, isWell ? 1 : 0);
    this.#all.inc({ name, type, status: isWell ? 'success' : 'error' });
  }
}

/** /healthz, /livez and /readyz, with `?verbose`, `?exclude=NAME` and `/NAME`. */
export function healthHandler(checks: readonly HealthCheck[], metrics: HealthMetrics): PathHandler {
  return async ({ context, response, head }) => {
    const [endpoint = '', ...rest] = context.info.path.slice(1).split('/');
    if (!isEndpoint(endpoint) || rest.at(-1) === '') return false;
    // Some names have slashes in them.
    const name = rest.join('/');
    const all = checksOf(endpoint, checks);
    if (name !== '') {
      const one = all.find((check) => check.name === name);
      if (one === undefined) return false;
      const problem = await one.check();
      if (problem === undefined) sendText(response, 200, 'ok', head);
      else sendText(response, 500, `internal server error: ${problem}\n`, head);
      return true;
    }
    const excluded = new Set(context.query.all('exclude'));
    const lines: string[] = [];
    let failed = false;
    for (const check of all) {
      if (excluded.delete(check.name)) {
        lines.push(`[+]${check.name} excluded: ok`);
        continue;
      }
      const problem = await check.check();
      failed ||= problem !== undefined;
      metrics.observe(check.name, endpoint, problem === undefined);
      lines.push(problem === undefined ? `[+]${check.name} ok` : `[-]${check.name} failed: reason withheld`);
    }
    if (excluded.size > 0) {
      const names = [...excluded].map((unknown) => JSON.stringify(unknown)).join(', ');
      lines.push(`warn: some health checks cannot be excluded: no matches for ${names}`);
    }
    const verbose = context.query.has('verbose') || failed;
    const last = failed ? `${endpoint} check failed` : `${endpoint} check passed`;
    const text = verbose ? `${lines.join('\n')}\n${last}\n` : 'ok';
    const fields = headers(head, 'text/plain; charset=utf-8');
    fields['X-Content-Type-Options'] = 'nosniff';
    sendBytes(response, failed ? 500 : 200, fields, [Buffer.from(text)], head);
    return true;
  };
}
