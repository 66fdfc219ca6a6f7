import type { DeepReadonly } from '../../base/json.ts';
import type { PersistentVolumeClaimSpec } from '../generated/types.ts';
import { goQuote } from '../validation/go-format.ts';
import { isWholeQuantity } from '../validation/quantity.ts';

/** Amounts of storage that are no whole bytes. */
export function claimSpecWarnings(spec: DeepReadonly<PersistentVolumeClaimSpec> | undefined, path: string): string[] {
  return (['requests', 'limits'] as const).flatMap((part) => {
    const amount = spec?.resources?.[part]?.storage;
    if (amount === undefined || isWholeQuantity(amount)) return [];
    const text = `fractional byte value ${goQuote(amount)} is invalid, must be an integer`;
    return [`${path}.resources.${part}[storage]: ${text}`];
  });
}
