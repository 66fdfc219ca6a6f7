import { Exposition, type LabelValues } from '../stats/exposition.ts';

/** `/metrics/probes`: how many probes had which result, by container and kind. */
export class ProbeCounts {
  readonly #counts = new Map<string, { labels: LabelValues; count: number }>();

  add(labels: LabelValues): void {
    const key = JSON.stringify(Object.values(labels));
    const known = this.#counts.get(key);
    if (known === undefined) this.#counts.set(key, { labels, count: 1 });
    else known.count++;
  }

  /** The pod is gone. */
  forget(podUID: string): void {
    for (const [key, { labels }] of this.#counts) if (labels['pod_uid'] === podUID) this.#counts.delete(key);
  }

  text(): string {
    const out = new Exposition();
    const help = 'Cumulative number of a liveness, readiness or startup probe for a container by result.';
    for (const { labels, count } of this.#counts.values())
      out.add('prober_probe_total', 'counter', help, labels, count);
    return out.text();
  }
}
