import { Counter, Gauge, Histogram, type Metrics } from '../../base/metrics.ts';
import type { RequestInfo } from '../contract.ts';

const LONG_RUNNING: ReadonlySet<string> = new Set(['exec', 'attach', 'portforward', 'proxy', 'log']);

/** Upstream's request metrics. */
export class RequestMetrics {
  readonly #total: Counter;
  readonly #duration: Histogram;
  readonly #inflight: Gauge;
  readonly #longRunning: Gauge;

  constructor(metrics: Metrics) {
    const registers = [metrics];
    this.#total = new Counter({
      name: 'apiserver_request_total',
      help: 'Requests by verb, resource and response code.',
      labelNames: ['verb', 'group', 'version', 'resource', 'subresource', 'scope', 'code'],
      registers,
    });
    this.#duration = new Histogram({
      name: 'apiserver_request_duration_seconds',
      help: 'Time from the arrival of a request to the end of its answer, without watches.',
      labelNames: ['verb', 'group', 'version', 'resource', 'subresource', 'scope'],
      buckets: [0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 30],
      registers,
    });
    this.#inflight = new Gauge({
      name: 'apiserver_current_inflight_requests',
      help: 'Requests under way, without watches and streams.',
      labelNames: ['request_kind'],
      registers,
    });
    this.#longRunning = new Gauge({
      name: 'apiserver_longrunning_requests',
      help: 'Watches and streams under way.',
      labelNames: ['verb', 'resource', 'subresource'],
      registers,
    });
  }

  begin(info: RequestInfo): void {
    if (longRunning(info)) this.#longRunning.inc(longRunningLabels(info));
    else this.#inflight.inc({ request_kind: kindOf(info) });
  }

  end(info: RequestInfo, code: number, durationMs: number): void {
    const labels = {
      verb: info.isResourceRequest ? (VERBS[info.verb] ?? info.verb.toUpperCase()) : info.verb.toUpperCase(),
      group: info.group,
      version: info.version,
      resource: info.resource,
      subresource: info.subresource,
      scope: scopeOf(info),
    };
    if (longRunning(info)) {
      this.#longRunning.dec(longRunningLabels(info));
    } else {
      this.#inflight.dec({ request_kind: kindOf(info) });
      // Paths and names that nobody serves must not become labels without end.
      if (code !== 404) this.#duration.observe(labels, durationMs / 1000);
    }
    if (code !== 404 || !info.isResourceRequest) this.#total.inc({ ...labels, code });
  }
}

const VERBS: Readonly<Record<string, string>> = {
  create: 'POST',
  update: 'PUT',
};

function longRunning(info: RequestInfo): boolean {
  return info.verb === 'watch' || LONG_RUNNING.has(info.subresource);
}

function longRunningLabels(info: RequestInfo): Record<string, string> {
  return { verb: info.verb.toUpperCase(), resource: info.resource, subresource: info.subresource };
}

function kindOf(info: RequestInfo): string {
  return info.verb === 'get' || info.verb === 'list' ? 'readOnly' : 'mutating';
}

function scopeOf(info: RequestInfo): string {
  if (info.name !== '') return 'resource';
  if (info.namespace !== '') return 'namespace';
  return info.isResourceRequest ? 'cluster' : '';
}
