import type { Node } from '../../api/generated/types.ts';
import type { AdmissionPlugin } from '../contract.ts';
import { forResource } from './refuse.ts';

/** New nodes get no pods before they have reported that they are ready. */
export function taintNodesByCondition(): AdmissionPlugin {
  return {
    name: 'TaintNodesByCondition',
    ...forResource('', 'nodes', 'CREATE'),
    admit(attributes) {
      const node = attributes.object as unknown as Node;
      const taint = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' };
      const taints = node.spec?.taints ?? [];
      if (taints.some(({ key, effect }) => key === taint.key && effect === taint.effect)) return;
      node.spec = { ...node.spec, taints: [...taints, taint] };
    },
  };
}
