import { equalJSON } from '../base/json.ts';

/** Counters whose zero is not left out. */
const WITH_ZERO = new Set(['terminatingReplicas']);

/** The stored status of a workload says the same: zeros and empty lists count as absent. */
export function sameStatus(a: object | undefined, b: object | undefined): boolean {
  return equalJSON(withoutZeros(a), withoutZeros(b));
}

function withoutZeros(status: object = {}): Record<string, unknown> {
  const entries = Object.entries(status);
  return Object.fromEntries(
    entries.filter(([key, value]) => WITH_ZERO.has(key) || (value !== 0 && !isEmptyList(value))),
  );
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}
