import type { Rejection } from './plugin.ts';

/** Why no node takes a pod. */
export interface Diagnosis {
  /** Nodes that exist. */
  readonly total: number;
  /** By node name. */
  readonly rejections: ReadonlyMap<string, Rejection>;
  /** What holds for the nodes that `rejections` does not name. */
  readonly absent: Rejection | undefined;
  /** Set when a plugin refused the pod before any node was looked at. */
  readonly preFilterMessage?: string;
  /** The plugins that refused; their hints decide which events wake the pod. */
  readonly plugins: ReadonlySet<string>;
}

/** The nodes where removing pods could help. */
export function isResolvable(diagnosis: Diagnosis, node: string): boolean {
  return (diagnosis.rejections.get(node) ?? diagnosis.absent)?.resolvable === true;
}

/**
 * `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable. preemption: ...`: reasons counted by node and
 * sorted as texts. Upstream: FitError.Error.
 */
export function fitErrorMessage(diagnosis: Diagnosis, postFilterMessage = ''): string {
  const { total, rejections, absent, preFilterMessage } = diagnosis;
  let text = `0/${total} nodes are available:`;
  if (preFilterMessage !== undefined) {
    text += ` ${preFilterMessage}.`;
  } else {
    const counts = new Map<string, number>();
    const count = (reasons: readonly string[], times: number): void => {
      for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + times);
    };
    for (const { reasons } of rejections.values()) count(reasons, 1);
    if (rejections.size < total) count(absent?.reasons ?? [], total - rejections.size);
    const texts = [...counts].map(([reason, times]) => `${times} ${reason}`).sort();
    if (texts.length > 0) text += ` ${texts.join(', ')}.`;
  }
  return postFilterMessage === '' ? text : `${text} ${postFilterMessage}`;
}
