import type { DeepReadonly } from '../../base/json.ts';
import type { DeviceTaint, DeviceToleration } from '../generated/types.ts';

/** Whether a request tolerates a taint of a device; empty fields match everything. Upstream: ToleratesTaint. */
export function toleratesDeviceTaint(
  { effect, key, operator, value }: DeepReadonly<DeviceToleration>,
  taint: DeepReadonly<DeviceTaint>,
): boolean {
  if (effect && effect !== taint.effect) return false;
  if (key && key !== taint.key) return false;
  return operator === 'Exists' || ((operator ?? 'Equal') === 'Equal' && (value ?? '') === (taint.value ?? ''));
}
