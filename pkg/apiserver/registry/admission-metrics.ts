import type { Metrics } from '../../base/metrics.ts';
import { type HistogramSeries, TallyHistogram } from '../../base/tallies.ts';
import type { Operation } from '../contract.ts';

export type AdmissionPhase = 'admit' | 'validate';

const BUCKETS = [0.005, 0.025, 0.1, 0.5, 1, 2.5];
const LABELS = ['type', 'operation', 'rejected'] as const;

/** Each write asks for a dozen series: places in an array are found without making a text of three parts. */
type KnownSeries = (HistogramSeries | undefined)[];

const OPERATIONS: Readonly<Record<Operation, number>> = { CREATE: 0, UPDATE: 1, DELETE: 2, CONNECT: 3 };

/** How long admission takes, each half of it and each plugin, by upstream's names. */
export class AdmissionMetrics {
  readonly #step: TallyHistogram<(typeof LABELS)[number]>;
  readonly #plugin: TallyHistogram<(typeof LABELS)[number] | 'name'>;
  readonly #stepSeries: KnownSeries = [];
  readonly #pluginSeries = new Map<string, KnownSeries>();

  constructor(metrics: Metrics) {
    this.#step = new TallyHistogram(
      {
        name: 'apiserver_admission_step_admission_duration_seconds',
        help: 'Time of one half of admission for one request.',
        labelNames: LABELS,
        buckets: BUCKETS,
      },
      metrics,
    );
    this.#plugin = new TallyHistogram(
      {
        name: 'apiserver_admission_controller_admission_duration_seconds',
        help: 'Time of one admission plugin for one request.',
        labelNames: ['name', ...LABELS],
        buckets: BUCKETS,
      },
      metrics,
    );
  }

  /** One half of admission. */
  observe(phase: AdmissionPhase, operation: Operation, rejected: boolean, tookMs: number): void {
    const make = (): HistogramSeries => this.#step.labels({ type: phase, operation, rejected: String(rejected) });
    seriesOf(this.#stepSeries, phase, operation, rejected, make).observe(tookMs / 1000);
  }

  /** One plugin in one half of admission. */
  observePlugin(name: string, phase: AdmissionPhase, operation: Operation, rejected: boolean, tookMs: number): void {
    let known = this.#pluginSeries.get(name);
    if (known === undefined) {
      known = [];
      this.#pluginSeries.set(name, known);
    }
    const make = (): HistogramSeries =>
      this.#plugin.labels({ name, type: phase, operation, rejected: String(rejected) });
    seriesOf(known, phase, operation, rejected, make).observe(tookMs / 1000);
  }
}

function seriesOf(
  known: KnownSeries,
  phase: AdmissionPhase,
  operation: Operation,
  rejected: boolean,
  make: () => HistogramSeries,
): HistogramSeries {
  const index = 4 * OPERATIONS[operation] + (phase === 'admit' ? 2 : 0) + (rejected ? 1 : 0);
  let series = known[index];
  if (series === undefined) {
    series = make();
    known[index] = series;
  }
  return series;
}
