export type LabelValues = Readonly<Record<string, string>>;

/** Metrics of one answer in Prometheus' text form, written as they are measured. */
export class Exposition {
  readonly #families = new Map<string, string[]>();

  /** One sample; `atMs`: when it was measured, for values that are older than the answer. Families stay in order of their first use. */
  add(name: string, type: 'counter' | 'gauge', help: string, labels: LabelValues, value: number, atMs?: number): void {
    let lines = this.#families.get(name);
    if (lines === undefined) {
      lines = [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
      this.#families.set(name, lines);
    }
    const tags = Object.entries(labels).map(([key, text]) => `${key}="${escaped(text)}"`);
    const where = tags.length === 0 ? '' : `{${tags.join(',')}}`;
    lines.push(`${name}${where} ${value}${atMs === undefined ? '' : ` ${Math.trunc(atMs)}`}`);
  }

  text(): string {
    return [...this.#families.values()]
      .flat()
      .map((line) => `${line}\n`)
      .join('');
  }
}

function escaped(text: string): string {
  return text.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n');
}
