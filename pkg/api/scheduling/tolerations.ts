import type { DeepReadonly } from '../../base/json.ts';
import type { Taint, Toleration } from '../generated/types.ts';

/** Upstream: Toleration.ToleratesTaint. An empty key with Exists tolerates every taint; an empty effect every effect. */
export function tolerates(toleration: DeepReadonly<Toleration>, taint: DeepReadonly<Taint>): boolean {
  if (toleration.effect !== undefined && toleration.effect !== '' && toleration.effect !== taint.effect) return false;
  const key = toleration.key ?? '';
  if (key !== '' && key !== taint.key) return false;
  switch (toleration.operator ?? 'Equal') {
    case 'Exists':
      return true;
    case 'Equal':
    case '':
      return key !== '' && (toleration.value ?? '') === (taint.value ?? '');
    case 'Lt':
      return compareNumbers(taint.value, toleration.value, (a, b) => a < b);
    case 'Gt':
      return compareNumbers(taint.value, toleration.value, (a, b) => a > b);
    default:
      return false;
  }
}

export function toleratedByAny(
  tolerations: readonly DeepReadonly<Toleration>[] | undefined,
  taint: DeepReadonly<Taint>,
): boolean {
  return tolerations?.some((toleration) => tolerates(toleration, taint)) ?? false;
}

/** The first taint with one of `effects` that nothing tolerates. */
export function untoleratedTaint(
  taints: readonly DeepReadonly<Taint>[] | undefined,
  tolerations: readonly DeepReadonly<Toleration>[] | undefined,
  effects: readonly string[],
): DeepReadonly<Taint> | undefined {
  return taints?.find((taint) => effects.includes(taint.effect) && !toleratedByAny(tolerations, taint));
}

function compareNumbers(
  left: string | undefined,
  right: string | undefined,
  compare: (a: bigint, b: bigint) => boolean,
): boolean {
  const number = /^-?\d{1,19}$/;
  if (left === undefined || right === undefined || !number.test(left) || !number.test(right)) return false;
  return compare(BigInt(left), BigInt(right));
}
