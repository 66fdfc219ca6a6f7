import { isStaticPod } from '../labels.ts';
import type { Pod } from '../types.ts';
import { Exposition } from './exposition.ts';

/** What is known of one pod of the node. */
export interface CountedPod {
  readonly pod: Pod;
  readonly lifecycle: 'sync' | 'terminating' | 'terminated';
  /** It is still in its source. */
  readonly desired: boolean;
}

const STATIC = ['', 'true'] as const;
const LIFECYCLES = ['sync', 'terminating', 'terminated'] as const;

/** How many pods the kubelet works on, by upstream's names; `mirrors`: those that the API shows of static pods. Pure. */
export function podCounts(pods: readonly CountedPod[], mirrors: number): string {
  const out = new Exposition();
  const count = (which: (one: CountedPod) => boolean): number => pods.filter(which).length;
  const isStatic = ({ pod }: CountedPod, kind: string): boolean => isStaticPod(pod) === (kind !== '');
  for (const kind of STATIC) {
    const desired = count((one) => one.desired && isStatic(one, kind));
    out.add('kubelet_desired_pods', 'gauge', 'Pods that the node is to run.', { static: kind }, desired);
  }
  for (const kind of STATIC) {
    const active = count((one) => one.lifecycle !== 'terminated' && isStatic(one, kind));
    out.add('kubelet_active_pods', 'gauge', 'Pods that take something from the node.', { static: kind }, active);
  }
  out.add('kubelet_mirror_pods', 'gauge', 'Pods of the API that show static pods.', {}, mirrors);
  for (const config of ['desired', 'orphan']) {
    for (const lifecycle of LIFECYCLES) {
      for (const kind of STATIC) {
        const is = (one: CountedPod): boolean =>
          one.lifecycle === lifecycle && one.desired === (config === 'desired') && isStatic(one, kind);
        const labels = { config, lifecycle, static: kind };
        out.add('kubelet_working_pods', 'gauge', 'Pods by what is being done about them.', labels, count(is));
      }
    }
  }
  const ephemeral = pods.reduce((sum, { pod }) => sum + (pod.spec.ephemeralContainers?.length ?? 0), 0);
  out.add('kubelet_managed_ephemeral_containers', 'gauge', 'Ephemeral containers of these pods.', {}, ephemeral);
  return out.text();
}
