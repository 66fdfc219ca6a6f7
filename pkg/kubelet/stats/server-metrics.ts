import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

const DEFAULT_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const LABELS = ['method', 'path', 'server_type', 'long_running'] as const;
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'CONNECT', 'TRACE']);
/** First parts of paths that are told apart; of all others there may be any number. */
const PATHS = new Set(
  'attach checkpoint configz containerLogs exec flagz healthz logs metrics pods portForward run runningpods stats statusz'.split(
    ' ',
  ),
);
const LONG_RUNNING = new Set(['exec', 'attach', 'portForward']);

/** What a kubelet tells of the requests to its server, with upstream's names. */
export class ServerMetrics {
  readonly #requests: Counter<(typeof LABELS)[number]>;
  readonly #seconds: Histogram<(typeof LABELS)[number]>;
  readonly #inFlight: Gauge<(typeof LABELS)[number]>;

  constructor(registry: Registry) {
    const registers = [registry];
    const labelNames = [...LABELS];
    this.#requests = new Counter({
      name: 'kubelet_http_requests_total',
      help: 'Requests to the server of the kubelet.',
      labelNames,
      registers,
    });
    this.#seconds = new Histogram({
      name: 'kubelet_http_requests_duration_seconds',
      help: 'Duration of these requests.',
      labelNames,
      buckets: DEFAULT_BUCKETS,
      registers,
    });
    this.#inFlight = new Gauge({
      name: 'kubelet_http_inflight_requests',
      help: 'Those of them that are not answered yet.',
      labelNames,
      registers,
    });
  }

  /** A request has come; the function that is returned is called with its duration when it has been answered. */
  request(method: string, url: string): (seconds: number) => void {
    const first = url.split(/[/?]/)[1] ?? '';
    const labels = {
      method: METHODS.has(method) ? method : 'other',
      path: PATHS.has(first) ? first : 'other',
      server_type: 'readwrite',
      long_running: String(LONG_RUNNING.has(first)),
    };
    this.#requests.inc(labels);
    this.#inFlight.inc(labels);
    return (seconds) => {
      this.#inFlight.dec(labels);
      this.#seconds.observe(labels, seconds);
    };
  }
}
