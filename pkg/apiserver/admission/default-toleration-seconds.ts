import type { Toleration } from '../../api/generated/types.ts';
import type { AdmissionPlugin } from '../contract.ts';
import { podOf } from './refuse.ts';

const SECONDS = 300;
const TAINTS = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];

/** Pods stay five minutes on a node that is not ready or cannot be reached, unless they say something else. */
export function defaultTolerationSeconds(): AdmissionPlugin {
  return {
    name: 'DefaultTolerationSeconds',
    handles: (operation, { type }, subresource) =>
      type.group === '' &&
      type.resource === 'pods' &&
      subresource === '' &&
      (operation === 'CREATE' || operation === 'UPDATE'),
    admit(attributes) {
      const { spec } = podOf(attributes);
      const tolerations = spec.tolerations ?? [];
      const missing = TAINTS.filter((key) => !tolerations.some((toleration) => tolerates(toleration, key)));
      if (missing.length === 0) return;
      spec.tolerations = [
        ...tolerations,
        ...missing.map((key) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: SECONDS })),
      ];
    },
  };
}

function tolerates({ key = '', effect = '' }: Toleration, taint: string): boolean {
  return (key === taint || key === '') && (effect === 'NoExecute' || effect === '');
}
