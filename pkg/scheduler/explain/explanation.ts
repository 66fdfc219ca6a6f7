/** Why one plugin keeps a pod off one node, or that it does not. */
export interface PluginVerdict {
  readonly plugin: string;
  /** Empty: the plugin has nothing against the node. */
  readonly reasons: readonly string[];
  /** What somebody could do about it. */
  readonly advice: string;
}

export interface NodeVerdict {
  readonly node: string;
  readonly verdicts: readonly PluginVerdict[];
}

/** Weighted, normalized scores of a node that takes the pod. */
export interface NodeScore {
  readonly node: string;
  readonly total: number;
  readonly byPlugin: ReadonlyMap<string, number>;
}

export interface Explanation {
  /** `namespace/name`. */
  readonly pod: string;
  /** Where it is. */
  readonly nodeName: string | undefined;
  /** What its PodScheduled condition or its scheduling gates say. */
  readonly message: string | undefined;
  /** Set when no profile has the name in the pod's spec.schedulerName: it is another scheduler's, and judged as our own. */
  readonly leftTo: string | undefined;
  /** Set when a plugin refuses the pod without looking at nodes. */
  readonly refusedBy: PluginVerdict | undefined;
  readonly nodes: readonly NodeVerdict[];
  /** The best first. */
  readonly scores: readonly NodeScore[];
}

/** True when no plugin is against the node. */
export function fits({ verdicts }: NodeVerdict): boolean {
  return verdicts.every(({ reasons }) => reasons.length === 0);
}

/** As text for people; `everyPlugin` lists those that have nothing against a node, too. */
export function formatExplanation(explanation: Explanation, everyPlugin: boolean): string {
  const { pod, nodeName, message, leftTo, refusedBy, nodes, scores } = explanation;
  const where = nodeName === undefined ? 'has no node' : `is on ${nodeName}`;
  const lines = [`pod ${pod} ${where}${message === undefined ? '' : `: ${message}`}`];
  if (leftTo !== undefined) {
    lines.push(
      `It is for the scheduler ${leftTo} to place (spec.schedulerName); this one, which leaves it alone, would say:`,
    );
  }
  if (refusedBy !== undefined) {
    lines.push('', `${refusedBy.plugin} refuses the pod whatever the node: ${refusedBy.reasons.join(', ')}`);
    lines.push(`what would help: ${refusedBy.advice}`);
    return `${lines.join('\n')}\n`;
  }
  if (nodes.length === 0) return `${lines.join('\n')}\nThe cluster has no nodes.\n`;
  const rows = [['NODE', 'PLUGIN', 'WHY', 'WHAT WOULD HELP'], ...nodes.flatMap((node) => nodeRows(node, everyPlugin))];
  lines.push('', ...table(rows));
  if (scores.length > 0) {
    const plugins = [...(scores[0]?.byPlugin.keys() ?? [])];
    const header = ['NODE', 'SCORE', ...plugins];
    const body = scores.map(({ node, total, byPlugin }) => [
      node,
      String(total),
      ...plugins.map((name) => String(byPlugin.get(name) ?? 0)),
    ]);
    lines.push('', ...table([header, ...body]));
  }
  return `${lines.join('\n')}\n`;
}

function nodeRows(verdict: NodeVerdict, everyPlugin: boolean): string[][] {
  const rows = verdict.verdicts
    .filter(({ reasons }) => everyPlugin || reasons.length > 0)
    .map(({ plugin, reasons, advice }) => [
      verdict.node,
      plugin,
      reasons.length === 0 ? 'ok' : reasons.join(', '),
      advice,
    ]);
  return rows.length > 0 ? rows : [[verdict.node, '-', 'the pod fits', '']];
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
