import type { ResourceDefinition } from '../../api/definition.ts';
import { Counter, Gauge, type Metrics } from '../../base/metrics.ts';
import { type CounterSeries, type HistogramSeries, TallyCounter, TallyHistogram } from '../../base/tallies.ts';
import type { RequestInfo } from '../contract.ts';
import type { Definitions } from '../definitions.ts';
import type { Query } from '../request/query.ts';
import { isLongRunning } from '../request/request-info.ts';

const KIND_LABELS = ['verb', 'group', 'version', 'resource', 'subresource', 'scope', 'component'] as const;
type KindLabels = Readonly<Record<(typeof KIND_LABELS)[number], string>>;

/** What about a request is neither in its method nor in its path. */
export interface RequestVariant {
  /** The values of the `dryRun` parameter. */
  readonly dryRun: readonly string[];
  /** A patch that is an apply. */
  readonly isApply: boolean;
}

/** One kind of request with its series; a request holds on to it from its beginning to its end. */
export interface MeasuredKind {
  readonly labels: KindLabels;
  readonly dryRun: string;
  readonly isLongRunning: boolean;
  readonly isMutating: boolean;
  readonly duration: HistogramSeries;
  readonly objective: HistogramSeries;
  /** Of reads only. */
  readonly size: HistogramSeries | undefined;
  readonly totals: Map<number, CounterSeries>;
  underWay: number;
}

const OBJECTIVE_BUCKETS = [0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60];
const READ_ONLY: ReadonlySet<string> = new Set(['get', 'list', 'watch']);

/** Upstream's request metrics. */
export class RequestMetrics {
  readonly #definitions: Definitions;
  readonly #kinds = new WeakMap<ResourceDefinition, Map<string, MeasuredKind>>();
  /** Of paths that are no resources. */
  readonly #others = new Map<string, MeasuredKind>();
  readonly #longRunning = new Set<MeasuredKind>();
  readonly #underWay = { readOnly: 0, mutating: 0 };
  readonly #queued = { readOnly: 0, mutating: 0 };
  readonly #total: TallyCounter<(typeof KIND_LABELS)[number] | 'dry_run' | 'code'>;
  readonly #duration: TallyHistogram<(typeof KIND_LABELS)[number] | 'dry_run'>;
  readonly #objective: TallyHistogram<(typeof KIND_LABELS)[number]>;
  readonly #size: TallyHistogram<(typeof KIND_LABELS)[number]>;
  readonly #terminations: Counter;
  readonly #deprecated: Gauge;
  readonly #watchEvents: TallyCounter<'group' | 'version' | 'resource'>;
  readonly #handshakeErrors: Counter;

  constructor(metrics: Metrics, definitions: Definitions) {
    this.#definitions = definitions;
    this.#total = new TallyCounter(
      {
        name: 'apiserver_request_total',
        help: 'Requests by verb, resource and response code.',
        labelNames: [...KIND_LABELS, 'dry_run', 'code'],
      },
      metrics,
    );
    this.#duration = new TallyHistogram(
      {
        name: 'apiserver_request_duration_seconds',
        help: 'Time from the arrival of a request to the end of its answer.',
        labelNames: [...KIND_LABELS, 'dry_run'],
        buckets: [0.005, 0.025, ...OBJECTIVE_BUCKETS],
      },
      metrics,
    );
    this.#objective = new TallyHistogram(
      {
        name: 'apiserver_request_sli_duration_seconds',
        help: 'As apiserver_request_duration_seconds, without what requests waited for a seat and for webhooks.',
        labelNames: KIND_LABELS,
        buckets: OBJECTIVE_BUCKETS,
      },
      metrics,
    );
    this.#size = new TallyHistogram(
      {
        name: 'apiserver_response_sizes',
        help: 'Bytes of the answers to reads, before compression.',
        labelNames: KIND_LABELS,
        buckets: [1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000],
      },
      metrics,
    );
    this.#watchEvents = new TallyCounter(
      {
        name: 'apiserver_watch_events_total',
        help: 'Events that were sent to watches over HTTP.',
        labelNames: ['group', 'version', 'resource'],
      },
      metrics,
    );
    const registers = [metrics];
    this.#deprecated = new Gauge({
      name: 'apiserver_requested_deprecated_apis',
      help: 'Deprecated APIs that have been asked for.',
      labelNames: ['group', 'version', 'resource', 'subresource', 'removed_release'],
      registers,
    });
    this.#terminations = new Counter({
      name: 'apiserver_request_terminations_total',
      help: 'Requests that were refused to protect the server.',
      labelNames: [...KIND_LABELS, 'code'],
      registers,
    });
    this.#handshakeErrors = new Counter({
      name: 'apiserver_tls_handshake_errors_total',
      help: 'Connections that failed before a request.',
      registers,
    });
    this.#registerGauges(metrics);
  }

  #registerGauges(metrics: Metrics): void {
    const registers = [metrics];
    const gauge = (name: string, help: string, counts: Readonly<Record<'readOnly' | 'mutating', number>>): void => {
      new Gauge({
        name,
        help,
        labelNames: ['request_kind'],
        registers,
        collect() {
          this.set({ request_kind: 'readOnly' }, counts.readOnly);
          this.set({ request_kind: 'mutating' }, counts.mutating);
        },
      });
    };
    gauge('apiserver_current_inflight_requests', 'Requests under way, without watches and streams.', this.#underWay);
    gauge('apiserver_current_inqueue_requests', 'Requests that wait for a seat.', this.#queued);
    const longRunning = this.#longRunning;
    new Gauge({
      name: 'apiserver_longrunning_requests',
      help: 'Watches and streams under way.',
      labelNames: [...KIND_LABELS],
      registers,
      collect() {
        this.reset();
        for (const { labels, underWay } of longRunning) this.inc(labels, underWay);
      },
    });
  }

  begin(info: RequestInfo, variant: RequestVariant): MeasuredKind {
    const kind = this.#kindOf(info, variant);
    if (kind.isLongRunning) kind.underWay++;
    else this.#underWay[sideOf(kind)]++;
    return kind;
  }

  /** A request has to wait for a seat, or waits no longer. */
  queued(kind: MeasuredKind, change: 1 | -1): void {
    this.#queued[sideOf(kind)] += change;
  }

  /** A request that was refused since there is too much to do. */
  terminated({ labels }: MeasuredKind, code: number): void {
    this.#terminations.inc({ ...labels, code: String(code) });
  }

  handshakeFailed(): void {
    this.#handshakeErrors.inc();
  }

  /** The counter of a watch's events. */
  watchEvents({ type }: ResourceDefinition): CounterSeries {
    return this.#watchEvents.labels({ group: type.group, version: type.version, resource: type.resource });
  }

  /** `waitedMs`: of it, for a seat and for webhooks. `bytes`: of the body. */
  end(
    kind: MeasuredKind,
    code: number,
    answer: { readonly tookMs: number; readonly waitedMs: number; readonly bytes: number },
  ): void {
    const { tookMs, waitedMs, bytes } = answer;
    if (kind.isLongRunning) kind.underWay--;
    else this.#underWay[sideOf(kind)]--;
    kind.duration.observe(tookMs / 1000);
    kind.objective.observe((tookMs - waitedMs) / 1000);
    kind.size?.observe(bytes);
    let total = kind.totals.get(code);
    if (total === undefined) {
      total = this.#total.labels({ ...kind.labels, dry_run: kind.dryRun, code: String(code) });
      kind.totals.set(code, total);
    }
    total.inc();
  }

  #kindOf(info: RequestInfo, variant: RequestVariant): MeasuredKind {
    const definition = this.#definitions.get(info.group, info.version, info.resource);
    let known = definition === undefined ? this.#others : this.#kinds.get(definition);
    if (known === undefined) {
      known = new Map();
      if (definition !== undefined) this.#kinds.set(definition, known);
    }
    const labels = labelsOf(info, variant.isApply, definition);
    const dryRun = dryRunOf(variant.dryRun);
    const key = `${labels.verb}/${labels.subresource}/${labels.scope}/${dryRun}`;
    let kind = known.get(key);
    if (kind === undefined) {
      kind = this.#newKind(info, labels, dryRun);
      known.set(key, kind);
      if (definition?.deprecationWarning !== undefined) this.#noteDeprecated(labels, definition);
    }
    return kind;
  }

  #noteDeprecated({ group, version, resource, subresource }: KindLabels, { removedRelease }: ResourceDefinition): void {
    this.#deprecated.set({ group, version, resource, subresource, removed_release: removedRelease ?? '' }, 1);
  }

  #newKind(info: RequestInfo, labels: KindLabels, dryRun: string): MeasuredKind {
    const kind = {
      labels,
      dryRun,
      isLongRunning: isLongRunning(info),
      isMutating: !READ_ONLY.has(info.verb),
      duration: this.#duration.labels({ ...labels, dry_run: dryRun }),
      objective: this.#objective.labels(labels),
      size: labels.verb === 'GET' || labels.verb === 'LIST' ? this.#size.labels(labels) : undefined,
      totals: new Map<number, CounterSeries>(),
      underWay: 0,
    };
    if (kind.isLongRunning) this.#longRunning.add(kind);
    return kind;
  }
}

const NO_DRY_RUN: readonly string[] = [];

export function variantOf({ verb }: RequestInfo, query: Query, contentType: string | undefined): RequestVariant {
  if (READ_ONLY.has(verb)) return { dryRun: NO_DRY_RUN, isApply: false };
  const isApply = verb === 'patch' && contentType?.startsWith('application/apply-patch+') === true;
  return { dryRun: query.all('dryRun'), isApply };
}

const METHODS: Readonly<Record<string, string>> = {
  create: 'POST',
  delete: 'DELETE',
  deletecollection: 'DELETECOLLECTION',
  get: 'GET',
  list: 'LIST',
  patch: 'PATCH',
  post: 'POST',
  proxy: 'PROXY',
  put: 'PUT',
  update: 'PUT',
  watch: 'WATCH',
};
const CONNECTED: ReadonlySet<string> = new Set(['attach', 'exec', 'log', 'portforward', 'proxy']);
const HEALTH: ReadonlySet<string> = new Set(['/healthz', '/livez', '/readyz']);

/** Only what is served becomes a label: clients must not be able to make labels without end. */
function labelsOf(info: RequestInfo, isApply: boolean, definition: ResourceDefinition | undefined): KindLabels {
  const verb = isApply ? 'APPLY' : (METHODS[info.verb] ?? 'other');
  if (definition === undefined) {
    const isHealth = HEALTH.has(info.path);
    const subresource = isHealth ? info.path : '';
    const component = isHealth ? '' : 'apiserver';
    return { verb, group: '', version: '', resource: '', subresource, scope: '', component };
  }
  const { group, version, resource } = info;
  const isKnown = info.subresource !== '' && definition.subresources.some(({ name }) => name === info.subresource);
  const subresource = isKnown ? info.subresource : '';
  return {
    verb: CONNECTED.has(subresource) ? 'CONNECT' : verb,
    group,
    version,
    resource,
    subresource,
    scope: scopeOf(info),
    component: 'apiserver',
  };
}

function dryRunOf(values: readonly string[]): string {
  if (values.length === 0) return '';
  return values.every((value) => value === 'All') ? 'All' : 'invalid';
}

function sideOf({ isMutating }: MeasuredKind): 'readOnly' | 'mutating' {
  return isMutating ? 'mutating' : 'readOnly';
}

function scopeOf(info: RequestInfo): string {
  if (info.name !== '' || info.verb === 'create') return 'resource';
  if (info.namespace !== '') return 'namespace';
  return info.isResourceRequest ? 'cluster' : '';
}
