import { resources } from '../../api/generated/resources.ts';
import type { Node, NodeMetrics, Pod, PodMetrics } from '../../api/generated/types.ts';
import { formatTime } from '../../api/time.ts';
import type { Clock } from '../../base/clock.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type { Logger } from '../../base/logger.ts';
import type { ObjectReader } from '../contract.ts';
import { readScrape, type Scrape, type Usage } from './scrape.ts';
import { goDuration, type Rate, rateOf } from './usage-rate.ts';

/** Asks the kubelet of a node for its /metrics/resource. */
export type ScrapeKubelet = (node: DeepReadonly<Node>, signal: AbortSignal) => Promise<string>;

export interface ResourceMetricsDeps {
  readonly reader: ObjectReader;
  readonly scrape: ScrapeKubelet;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How often kubelets are asked while somebody wants to know. */
const PERIOD_MS = 15_000;
/** After so long without a question nobody is asked any more. */
const INTEREST_MS = 5 * 60_000;
/** The shortest time that says something about a rate. */
const FIRST_WINDOW_MS = 1000;
const TIMEOUT_MS = 10_000;
const CONCURRENCY = 16;

interface Looks {
  readonly before: Scrape | undefined;
  readonly now: Scrape;
}

/**
 * The measurements behind metrics.k8s.io: what the kubelets say, kept of the last two looks. Kubelets are asked only while
 * somebody asks here; who asks first waits for two looks in a row. Corresponds to metrics-server.
 */
export class ResourceMetrics {
  readonly #deps: ResourceMetricsDeps;
  readonly #looks = new Map<string, Looks>();
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #first: Promise<void> | undefined;
  #cancelNext: (() => void) | undefined;
  readonly #stop = new AbortController();

  constructor(deps: ResourceMetricsDeps) {
    this.#deps = deps;
  }

  /** Stops asking kubelets. */
  close(): void {
    this.#stop.abort();
    this.#cancelNext?.();
    this.#cancelNext = undefined;
  }

  async nodes(): Promise<NodeMetrics[]> {
    await this.#fresh();
    const found: NodeMetrics[] = [];
    for (const node of this.#deps.reader.list(resources.nodes)) {
      const looks = this.#looks.get(node.metadata.name);
      const rate = rateOf(looks?.before?.node, looks?.now.node);
      if (rate === undefined) continue;
      const { name, labels } = node.metadata;
      found.push({
        kind: 'NodeMetrics',
        apiVersion: 'metrics.k8s.io/v1beta1',
        metadata: this.#metadata({ name, labels }) as NodeMetrics['metadata'],
        timestamp: formatTime(rate.atMs),
        window: goDuration(rate.windowMs),
        usage: { ...rate.usage },
      });
    }
    return found;
  }

  /** Pods of which a container has not been measured twice yet are left out. */
  async pods(namespace?: string): Promise<PodMetrics[]> {
    await this.#fresh();
    const found: PodMetrics[] = [];
    for (const pod of this.#deps.reader.list(resources.pods, namespace)) {
      const metrics = this.#podMetrics(pod);
      if (metrics !== undefined) found.push(metrics);
    }
    return found;
  }

  #podMetrics(pod: DeepReadonly<Pod>): PodMetrics | undefined {
    const looks = this.#looks.get(pod.spec.nodeName ?? '');
    const { namespace, name, labels } = pod.metadata;
    const key = `${namespace}/${name}`;
    const now = looks?.now.pods.get(key);
    if (now === undefined || now.size === 0) return undefined;
    const rates = podRates(looks?.before?.pods.get(key), now);
    if (rates === undefined) return undefined;
    const oldest = rates.reduce((one, other) => (other[1].atMs < one[1].atMs ? other : one))[1];
    return {
      kind: 'PodMetrics',
      apiVersion: 'metrics.k8s.io/v1beta1',
      metadata: this.#metadata({ name, namespace, labels }) as PodMetrics['metadata'],
      timestamp: formatTime(oldest.atMs),
      window: goDuration(oldest.windowMs),
      containers: rates.map(([container, { usage }]) => ({ name: container, usage: { ...usage } })),
    };
  }

  #metadata({ labels, ...named }: { name: string; namespace?: string; labels: object | undefined }): object {
    const creationTimestamp = formatTime(this.#deps.clock.now());
    return { ...named, creationTimestamp, ...(labels === undefined ? {} : { labels: { ...labels } }) };
  }

  async #fresh(): Promise<void> {
    const { clock } = this.#deps;
    this.#askedAtMs = clock.monotonic();
    if (this.#cancelNext !== undefined) return;
    this.#first ??= this.#begin().finally(() => {
      this.#first = undefined;
    });
    await this.#first;
  }

  /** Two looks in a row, unless the last one is recent enough to be the first. */
  async #begin(): Promise<void> {
    const { clock } = this.#deps;
    if (clock.monotonic() - this.#lookedAtMs > INTEREST_MS) {
      await this.#look();
      await clock.sleep(FIRST_WINDOW_MS, this.#stop.signal);
    }
    await this.#look();
    if (!this.#stop.signal.aborted) this.#scheduleNext();
  }

  #scheduleNext(): void {
    const { clock } = this.#deps;
    this.#cancelNext = clock.after(PERIOD_MS, () => {
      if (clock.monotonic() - this.#askedAtMs > INTEREST_MS) {
        this.#cancelNext = undefined;
        return;
      }
      void this.#look().then(() => {
        if (this.#cancelNext !== undefined) this.#scheduleNext();
      });
    });
  }

  async #look(): Promise<void> {
    const { reader, clock } = this.#deps;
    const nodes = [...reader.list(resources.nodes)];
    const names = new Set(nodes.map(({ metadata }) => metadata.name));
    for (const name of this.#looks.keys()) if (!names.has(name)) this.#looks.delete(name);
    const work = async (): Promise<void> => {
      for (let node = nodes.shift(); node !== undefined; node = nodes.shift()) await this.#lookAt(node);
    };
    await Promise.all(Array.from({ length: Math.min(CONCURRENCY, nodes.length) }, work));
    this.#lookedAtMs = clock.monotonic();
  }

  async #lookAt(node: DeepReadonly<Node>): Promise<void> {
    const { scrape, clock, logger } = this.#deps;
    const { name } = node.metadata;
    try {
      const now = readScrape(
        await scrape(node, AbortSignal.any([this.#stop.signal, AbortSignal.timeout(TIMEOUT_MS)])),
        clock.now(),
      );
      this.#looks.set(name, { before: this.#looks.get(name)?.now, now });
    } catch (error) {
      // A kubelet that does not answer has no metrics; old ones would pass for new.
      this.#looks.delete(name);
      logger.debug({ node: name, err: error }, 'the kubelet could not be asked for its measurements');
    }
  }
}

function podRates(
  before: ReadonlyMap<string, Usage> | undefined,
  now: ReadonlyMap<string, Usage>,
): (readonly [string, Rate])[] | undefined {
  const rates: (readonly [string, Rate])[] = [];
  for (const [container, usage] of now) {
    const rate = rateOf(before?.get(container), usage);
    if (rate === undefined) return undefined;
    rates.push([container, rate]);
  }
  return rates;
}
