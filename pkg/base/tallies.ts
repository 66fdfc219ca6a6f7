import type { Metric } from 'prom-client';
import type { Metrics } from './metrics.ts';

/**
 * Counters and histograms for what happens with every request. prom-client finds a series by a text of its labels for each
 * observation, which takes a microsecond; here a series is an object that its owner keeps, and counting is an addition. They
 * become text when they are scraped.
 */
export interface TallyOptions<L extends string> {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly L[];
}

export type Labels<L extends string> = Readonly<Record<L, string>>;

interface Sample {
  readonly metricName: string;
  readonly labels?: Readonly<Record<string, string | number>>;
  /** Of all samples of a series: their text is made once and kept as long as this object is. */
  readonly sharedLabels: Readonly<Record<string, string>>;
  readonly value: number;
}

abstract class Tallied<L extends string, S> {
  readonly name: string;
  readonly help: string;
  readonly aggregator = 'sum';
  readonly #labelNames: readonly L[];
  readonly #series = new Map<string, { readonly labels: Labels<L>; readonly series: S }>();

  constructor({ name, help, labelNames }: TallyOptions<L>, metrics: Metrics) {
    this.name = name;
    this.help = help;
    this.#labelNames = labelNames;
    // The registry needs no more of a metric than its name and `get`.
    metrics.registerMetric(this as unknown as Metric);
  }

  abstract readonly type: 'counter' | 'histogram';

  /** The series of these labels; for the owner to keep. */
  labels(labels: Labels<L>): S {
    const key = this.#labelNames.map((name) => labels[name]).join('\u0000');
    let known = this.#series.get(key);
    if (known === undefined) {
      known = { labels, series: this.newSeries() };
      this.#series.set(key, known);
    }
    return known.series;
  }

  /** What the registry asks for at each scrape. */
  async get(): Promise<{
    readonly name: string;
    readonly help: string;
    readonly type: string;
    readonly values: Sample[];
  }> {
    const values: Sample[] = [];
    for (const { labels, series } of this.#series.values()) this.samples(labels, series, values);
    return { name: this.name, help: this.help, type: this.type, values };
  }

  protected abstract newSeries(): S;
  protected abstract samples(labels: Labels<L>, series: S, into: Sample[]): void;
}

export class CounterSeries {
  value = 0;

  inc(by = 1): void {
    this.value += by;
  }
}

export class TallyCounter<L extends string> extends Tallied<L, CounterSeries> {
  readonly type = 'counter';

  protected override newSeries(): CounterSeries {
    return new CounterSeries();
  }

  protected override samples(labels: Labels<L>, { value }: CounterSeries, into: Sample[]): void {
    into.push({ metricName: this.name, sharedLabels: labels, value });
  }
}

export class HistogramSeries {
  readonly #buckets: readonly number[];
  /** Of each bucket alone; the last is for what is beyond all of them. */
  readonly counts: number[];
  sum = 0;

  constructor(buckets: readonly number[]) {
    this.#buckets = buckets;
    this.counts = new Array<number>(buckets.length + 1).fill(0);
  }

  observe(value: number): void {
    this.sum += value;
    const buckets = this.#buckets;
    let at = 0;
    while (at < buckets.length && value > (buckets[at] ?? 0)) at++;
    this.counts[at] = (this.counts[at] ?? 0) + 1;
  }
}

export class TallyHistogram<L extends string> extends Tallied<L, HistogramSeries> {
  readonly type = 'histogram';
  readonly #buckets: readonly number[];

  /** `buckets`: upper bounds, ascending. */
  constructor(options: TallyOptions<L> & { readonly buckets: readonly number[] }, metrics: Metrics) {
    super(options, metrics);
    this.#buckets = options.buckets;
  }

  protected override newSeries(): HistogramSeries {
    return new HistogramSeries(this.#buckets);
  }

  protected override samples(labels: Labels<L>, { counts, sum }: HistogramSeries, into: Sample[]): void {
    let total = 0;
    for (const [at, count] of counts.entries()) {
      total += count;
      into.push({
        metricName: `${this.name}_bucket`,
        labels: { le: this.#buckets[at] ?? '+Inf' },
        sharedLabels: labels,
        value: total,
      });
    }
    into.push({ metricName: `${this.name}_sum`, sharedLabels: labels, value: sum });
    into.push({ metricName: `${this.name}_count`, sharedLabels: labels, value: total });
  }
}
