import type { PersistentVolumeClaim } from '../../api/generated/types.ts';
import type { Clock } from '../../base/clock.ts';
import type { Informer } from '../../client/index.ts';
import { outcomeOf } from './outcome.ts';
import { type Claim, claimKey, isFullyBound, SELECTED_NODE } from './volume-claims.ts';

/**
 * Resolves when all claims are bound. Rejects when one goes away, when a provisioner gives a node back (it removes the
 * annotation that names the node), when `timeoutMs` have passed, or when `signal` aborts.
 */
export async function waitUntilBound(
  claims: readonly Claim[],
  provisioned: ReadonlySet<string>,
  nodeName: string,
  timeoutMs: number,
  informer: Informer<PersistentVolumeClaim>,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const waiting = new Set(claims.map(claimKey));
  /** Our own annotation may not have come back yet: only its removal afterwards counts. */
  const annotated = new Set<string>();
  await outcomeOf(
    ({ resolve, reject }) => {
      const look = (claim: Claim): void => {
        const key = claimKey(claim);
        if (!waiting.has(key)) return;
        const selected = claim.metadata.annotations?.[SELECTED_NODE];
        if (selected === nodeName) annotated.add(key);
        if (isFullyBound(claim)) waiting.delete(key);
        else if (provisioned.has(key) && annotated.has(key) && selected === undefined) {
          reject(new Error(`selectedNode annotation reset for PVC ${JSON.stringify(claim.metadata.name)}`));
        }
        if (waiting.size === 0) resolve();
      };
      const onDelete = (claim: Claim): void => {
        if (waiting.has(claimKey(claim))) reject(new Error(`persistentvolumeclaim "${claim.metadata.name}" not found`));
      };
      return informer.addHandler({ onAdd: look, onUpdate: look, onDelete });
    },
    { timeoutMs, timeoutMessage: 'binding volumes: context deadline exceeded', clock, signal },
  );
}
