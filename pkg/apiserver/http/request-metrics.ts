import { Counter, Gauge, Histogram, type Metrics } from '../../base/metrics.ts';
import type { RequestInfo } from '../contract.ts';
import type { Definitions } from '../definitions.ts';

const LONG_RUNNING: ReadonlySet<string> = new Set(['exec', 'attach', 'portforward', 'proxy', 'log']);

/** Upstream's request metrics. */
export class RequestMetrics {
  readonly #definitions: Definitions;
  readonly #total: Counter;
  readonly #duration: Histogram;
  readonly #inflight: Gauge;
  readonly #longRunning: Gauge;

  constructor(metrics: Metrics, definitions: Definitions) {
    this.#definitions = definitions;
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
    if (longRunning(info)) this.#longRunning.inc(this.#longRunningLabels(info));
    else this.#inflight.inc({ request_kind: kindOf(info) });
  }

  end(info: RequestInfo, code: number, durationMs: number): void {
    const labels = this.#labels(info);
    if (longRunning(info)) {
      this.#longRunning.dec(this.#longRunningLabels(info));
    } else {
      this.#inflight.dec({ request_kind: kindOf(info) });
      this.#duration.observe(labels, durationMs / 1000);
    }
    this.#total.inc({ ...labels, code });
  }

  /** Only what is served becomes a label: clients must not be able to make labels without end. */
  #labels(info: RequestInfo): Record<string, string> {
    const verb = METHODS[info.verb] ?? 'other';
    const definition = this.#definitions.get(info.group, info.version, info.resource);
    if (definition === undefined) return { verb, group: '', version: '', resource: '', subresource: '', scope: '' };
    const { group, version, resource } = info;
    const known = definition.subresources.some(({ name }) => name === info.subresource);
    return { verb, group, version, resource, subresource: known ? info.subresource : '', scope: scopeOf(info) };
  }

  #longRunningLabels(info: RequestInfo): Record<string, string> {
    const { verb = '', resource = '', subresource = '' } = this.#labels(info);
    return { verb, resource, subresource };
  }
}

const METHODS: Readonly<Record<string, string>> = {
  create: 'POST',
  delete: 'DELETE',
  deletecollection: 'DELETECOLLECTION',
  get: 'GET',
  head: 'HEAD',
  list: 'LIST',
  options: 'OPTIONS',
  patch: 'PATCH',
  post: 'POST',
  proxy: 'PROXY',
  put: 'PUT',
  update: 'PUT',
  watch: 'WATCH',
};

function longRunning(info: RequestInfo): boolean {
  return info.verb === 'watch' || LONG_RUNNING.has(info.subresource);
}

function kindOf(info: RequestInfo): string {
  return info.verb === 'get' || info.verb === 'list' ? 'readOnly' : 'mutating';
}

function scopeOf(info: RequestInfo): string {
  if (info.name !== '') return 'resource';
  if (info.namespace !== '') return 'namespace';
  return info.isResourceRequest ? 'cluster' : '';
}
