import { keyOf } from '../../api/object.ts';
import { parseTime } from '../../api/time.ts';
import type { Clock } from '../../base/clock.ts';
import type { ClaimTracker } from '../devices/claim-tracker.ts';
import type { AllocatedDevice, Claim } from '../devices/device-id.ts';
import { outcomeOf } from './outcome.ts';

/** Whether all devices of a claim are ready to be used: `failed` says why one never will be. */
export type Readiness = { readonly isReady: boolean } | { readonly failed: string };

/** Devices with binding conditions are ready when their driver says so in the claim's status. */
export function readinessOf(claim: Claim): Readiness {
  const { allocation, devices = [] } = claim.status ?? {};
  for (const result of allocation?.devices?.results ?? []) {
    const { bindingConditions = [], bindingFailureConditions = [] } = result;
    if (bindingConditions.length === 0) continue;
    const conditions = devices.find((device) => isOf(device, result))?.conditions ?? [];
    const isTrue = (type: string): boolean => conditions.some((one) => one.type === type && one.status === 'True');
    const failure = conditions.find(({ type, status }) => bindingFailureConditions.includes(type) && status === 'True');
    if (failure !== undefined) {
      const { reason, message } = failure;
      return {
        failed: `claim ${claim.metadata.name} binding failed: reason=${reason}, message=${JSON.stringify(message)}`,
      };
    }
    if (!bindingConditions.every(isTrue)) return { isReady: false };
  }
  return { isReady: true };
}

export function hasBindingConditions({ status }: Claim): boolean {
  return (status?.allocation?.devices?.results ?? []).some(
    ({ bindingConditions = [] }) => bindingConditions.length > 0,
  );
}

/** Whether devices of a claim have been waited for longer than `timeoutMs`. */
export function isOverdue(claim: Claim, timeoutMs: number, nowMs: number): boolean {
  const since = claim.status?.allocation?.allocationTimestamp;
  return since !== undefined && hasBindingConditions(claim) && parseTime(since) + timeoutMs < nowMs;
}

/** Resolves when all claims are ready. Rejects when one fails or goes, after `timeoutMs`, or when `signal` aborts. */
export async function waitUntilReady(
  claims: readonly Claim[],
  tracker: ClaimTracker,
  timeoutMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  await outcomeOf(
    ({ resolve, reject }) => {
      const look = (): void => {
        let isReady = true;
        for (const { metadata } of claims) {
          const key = keyOf({ metadata });
          const claim = tracker.get(key);
          const readiness =
            claim === undefined ? { failed: `could not find ResourceClaim "${key}"` } : readinessOf(claim);
          if ('failed' in readiness) reject(new Error(readiness.failed));
          else isReady &&= readiness.isReady;
        }
        if (isReady) resolve();
      };
      const remove = tracker.addHandler({ onUpdate: look, onDelete: look });
      look();
      return remove;
    },
    { timeoutMs, timeoutMessage: 'device binding timeout', clock, signal },
  );
}

function isOf(
  device: Pick<AllocatedDevice, 'driver' | 'pool' | 'device' | 'shareID'>,
  result: AllocatedDevice,
): boolean {
  return (
    device.driver === result.driver &&
    device.pool === result.pool &&
    device.device === result.device &&
    device.shareID === result.shareID
  );
}
