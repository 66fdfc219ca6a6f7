import type { Taint, Toleration } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';
import { tolerates } from '../../api/scheduling/tolerations.ts';

/**
 * How long a pod may stay on a node with these NoExecute taints: 0 when one is not tolerated, else the shortest of the
 * tolerations that apply; undefined: for ever.
 */
export function toleratedMs(
  tolerations: readonly DeepReadonly<Toleration>[],
  taints: readonly DeepReadonly<Taint>[],
): number | undefined {
  let shortest: number | undefined;
  for (const taint of taints) {
    const applying = tolerations.filter((toleration) => tolerates(toleration, taint));
    if (applying.length === 0) return 0;
    for (const { tolerationSeconds } of applying) {
      if (tolerationSeconds === undefined) continue;
      shortest = Math.min(Math.max(0, Number(tolerationSeconds)) * 1000, shortest ?? Number.POSITIVE_INFINITY);
    }
  }
  return shortest;
}
