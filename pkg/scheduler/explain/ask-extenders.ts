import { describeError } from '../../base/errors.ts';
import type { Extenders } from '../extenders/extenders.ts';
import type { NodeInfo } from '../framework/node-info.ts';
import type { Rejection } from '../framework/plugin.ts';
import type { PodInfo } from '../framework/pod-info.ts';
import { type Explanation, fits, type NodeScore, type NodeVerdict, type PluginVerdict } from './explanation.ts';

const ADVICE = 'ask who runs this extender of the scheduler';

/** Adds what the extenders say to the nodes that no plugin is against, and what they score them. */
export async function askExtenders(
  explanation: Explanation,
  pod: PodInfo,
  nodes: readonly NodeInfo[],
  extenders: Extenders,
): Promise<Explanation> {
  if (explanation.refusedBy !== undefined || !extenders.areInterested(pod)) return explanation;
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const feasible = explanation.nodes.filter(fits).flatMap(({ node }) => byName.get(node) ?? []);
  const rejections = new Map<string, Rejection>();
  try {
    const left = await extenders.filter(pod, feasible, rejections);
    const totals = new Float64Array(left.length);
    await extenders.score(pod, left, totals);
    const added = new Map(left.map(({ name }, i) => [name, totals[i] ?? 0]));
    return {
      ...explanation,
      nodes: explanation.nodes.map((node) => withVerdict(node, verdictOf(rejections.get(node.node)))),
      scores: explanation.scores.flatMap((score) => withScore(score, added.get(score.node))).toSorted(byTotal),
    };
  } catch (error) {
    // In scheduling, too, an extender that fails and may not be ignored ends the attempt.
    const failed = { plugin: 'extenders', reasons: [describeError(error)], advice: ADVICE };
    const failing = explanation.nodes.map((node) => (fits(node) ? withVerdict(node, failed) : node));
    return { ...explanation, nodes: failing, scores: [] };
  }
}

function verdictOf(rejection: Rejection | undefined): PluginVerdict | undefined {
  return rejection && { plugin: rejection.plugin, reasons: rejection.reasons, advice: ADVICE };
}

function withVerdict(node: NodeVerdict, verdict: PluginVerdict | undefined): NodeVerdict {
  return verdict === undefined ? node : { ...node, verdicts: [...node.verdicts, verdict] };
}

/** None for a node that an extender has refused. */
function withScore({ node, total, byPlugin }: NodeScore, added: number | undefined): NodeScore[] {
  if (added === undefined) return [];
  return [{ node, total: total + added, byPlugin: new Map([...byPlugin, ['extenders', added]]) }];
}

function byTotal(a: NodeScore, b: NodeScore): number {
  return b.total - a.total;
}
