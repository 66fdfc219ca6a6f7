import { isStatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { Pod, Secret, ServiceAccount } from '../../api/generated/types.ts';
import { dayMs, dayOf, INVALID_SINCE_LABEL, LAST_USED_LABEL, TRACKING_CONFIG_MAP } from '../../api/legacy-tokens.ts';
import { podReferences } from '../../api/pod-references.ts';
import type { Clock } from '../../base/clock.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Logger } from '../../base/logger.ts';
import type { Client, Lister } from '../../client/client.ts';
import { ignoreNotFound } from '../../client/retry.ts';
import type { ReconcileResult, Reconciler } from '../../controller/controller.ts';
import { Controller } from '../../controller/run-controller.ts';
import { afterSync } from '../../controller/sources.ts';
import type { ControllerCommonDeps } from '../deps.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
/** Upstream's --legacy-service-account-token-clean-up-period. */
const UNUSED_MS = 365 * DAY_MS;
const SECRET_TYPE = 'kubernetes.io/service-account-token';
const ACCOUNT_NAME = 'kubernetes.io/service-account.name';
const ACCOUNT_UID = 'kubernetes.io/service-account.uid';

export interface LegacyTokenCleanerDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly secrets: Lister<Secret>;
  readonly serviceAccounts: Lister<ServiceAccount>;
  readonly pods: Lister<Pod>;
}

/**
 * Once a day: tokens that earlier versions made for every ServiceAccount, and that nobody has used for a year, are given up,
 * and deleted when nobody has missed them for another year.
 */
export function newLegacyTokenCleaner(deps: ControllerCommonDeps): Component {
  const secrets = deps.informers.for(resources.secrets, { fieldSelector: `type=${SECRET_TYPE}` });
  const serviceAccounts = deps.informers.for(resources.serviceaccounts);
  const pods = deps.informers.for(resources.pods);
  const listers = { secrets: secrets.lister, serviceAccounts: serviceAccounts.lister, pods: pods.lister };
  return new Controller(
    {
      name: 'legacy-serviceaccount-token-cleaner-controller',
      sources: [
        afterSync(secrets),
        afterSync(serviceAccounts),
        afterSync(pods),
        { start: async (enqueue) => enqueue({ namespace: '', name: 'daily' }) },
      ],
      reconciler: new LegacyTokenCleaner({ ...deps, ...listers }),
    },
    deps,
  );
}

export type Verdict = 'keep' | 'give up' | 'delete';

export class LegacyTokenCleaner implements Reconciler {
  readonly #deps: LegacyTokenCleanerDeps;

  constructor(deps: LegacyTokenCleanerDeps) {
    this.#deps = deps;
  }

  async reconcile(): Promise<ReconcileResult> {
    const { client, clock, logger, secrets, serviceAccounts, pods } = this.#deps;
    const now = clock.now();
    const sinceMs = await this.#trackedSinceMs();
    if (sinceMs === undefined)
      logger.warn({}, 'it is not known since when the uses of ServiceAccount tokens are noted');
    // The first day was not noted from its beginning.
    if (sinceMs === undefined || now < sinceMs + DAY_MS + UNUSED_MS) return { requeueAfterMs: DAY_MS };
    for (const secret of secrets.list()) {
      const { namespace = '', name, uid, resourceVersion } = secret.metadata;
      const account = serviceAccounts.get(`${namespace}/${secret.metadata.annotations?.[ACCOUNT_NAME] ?? ''}`);
      const verdict = verdictOn(secret, account, () => isUsedByPods(namespace, name, pods), now);
      if (verdict === 'keep') continue;
      const key = { namespace, name };
      logger.info({ ...key, verdict }, 'a ServiceAccount token was not used for a year');
      if (verdict === 'give up') {
        const patch = { metadata: { uid, labels: { [INVALID_SINCE_LABEL]: dayOf(now) } } };
        await ignoreNotFound(client.patch(resources.secrets, key, 'merge', patch));
        continue;
      }
      try {
        await ignoreNotFound(client.delete(resources.secrets, key, { preconditions: { resourceVersion } }));
      } catch (error) {
        if (!isStatusError(error, 'Conflict')) throw error;
      }
    }
    return { requeueAfterMs: DAY_MS };
  }

  async #trackedSinceMs(): Promise<number | undefined> {
    const map = await ignoreNotFound(this.#deps.client.get(resources.configmaps, TRACKING_CONFIG_MAP));
    return dayMs(map?.data?.['since']);
  }
}

/** What becomes of the token in a Secret. Pure. */
export function verdictOn(
  { type, metadata }: DeepReadonly<Secret>,
  account: DeepReadonly<ServiceAccount> | undefined,
  isUsed: () => boolean,
  now: number,
): Verdict {
  const keepFrom = dayOf(now - UNUSED_MS);
  if (type !== SECRET_TYPE || metadata.deletionTimestamp !== undefined) return 'keep';
  if (Date.parse(metadata.creationTimestamp) >= now - UNUSED_MS) return 'keep';
  const lastUsed = metadata.labels?.[LAST_USED_LABEL];
  // What cannot be read may be yesterday.
  if (lastUsed !== undefined && (dayMs(lastUsed) === undefined || lastUsed >= keepFrom)) return 'keep';
  // Somebody made it who wants to keep it.
  if (account?.secrets?.some(({ name }) => name === metadata.name) !== true) return 'keep';
  const uid = metadata.annotations?.[ACCOUNT_UID] ?? '';
  if ((uid !== '' && uid !== account.metadata.uid) || isUsed()) return 'keep';
  const invalidSince = metadata.labels?.[INVALID_SINCE_LABEL];
  if (invalidSince === undefined || dayMs(invalidSince) === undefined) return 'give up';
  return invalidSince >= keepFrom ? 'keep' : 'delete';
}

function isUsedByPods(namespace: string, name: string, pods: Lister<Pod>): boolean {
  for (const pod of pods.list(namespace)) if (podReferences(pod).has(`secrets/${namespace}/${name}`)) return true;
  return false;
}
