import { isStatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { Secret, ServiceAccount } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';
import { equalJSON } from '../../base/json.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Client, Informer } from '../../client/client.ts';
import { ignoreNotFound } from '../../client/retry.ts';
import type { ReconcileResult, Reconciler, Request } from '../../controller/controller.ts';
import { Controller } from '../../controller/run-controller.ts';
import { fromInformer } from '../../controller/sources.ts';
import type { ControllerCommonDeps } from '../deps.ts';

const SECRET_TYPE = 'kubernetes.io/service-account-token';
const ACCOUNT_NAME = 'kubernetes.io/service-account.name';
const ACCOUNT_UID = 'kubernetes.io/service-account.uid';

/** Signs tokens that are valid as long as their Secret and ServiceAccount exist. */
export interface LegacyTokens {
  legacyToken(account: DeepReadonly<ServiceAccount>, secretName: string): string;
}

export interface TokenSecretDeps {
  readonly client: Client;
  readonly secrets: Informer<Secret>;
  readonly serviceAccounts: Informer<ServiceAccount>;
  readonly legacyTokens: LegacyTokens;
  readonly rootCA: string;
}

/** Fills Secrets of type service-account-token, and deletes those whose ServiceAccount is gone. */
export function newTokenSecretController(
  deps: ControllerCommonDeps & Pick<TokenSecretDeps, 'legacyTokens' | 'rootCA'>,
): Component {
  const secrets = deps.informers.for(resources.secrets, { fieldSelector: `type=${SECRET_TYPE}` });
  const serviceAccounts = deps.informers.for(resources.serviceaccounts);
  return new Controller(
    {
      name: 'legacy-serviceaccount-token-controller',
      sources: [
        { start: (_, signal) => serviceAccounts.syncedIfServed(signal) },
        fromInformer(secrets),
        fromInformer(serviceAccounts, {
          map: ({ metadata: { namespace, name } }) =>
            [...secrets.lister.list(namespace)]
              .filter((secret) => secret.metadata.annotations?.[ACCOUNT_NAME] === name)
              .map((secret) => ({ namespace, name: secret.metadata.name })),
        }),
      ],
      reconciler: new TokenSecretReconciler({ ...deps, secrets, serviceAccounts }),
    },
    deps,
  );
}

export class TokenSecretReconciler implements Reconciler {
  readonly #deps: TokenSecretDeps;

  constructor(deps: TokenSecretDeps) {
    this.#deps = deps;
  }

  async reconcile({ namespace, name }: Request): Promise<ReconcileResult> {
    const { client, secrets, legacyTokens, rootCA } = this.#deps;
    const secret = secrets.lister.get(`${namespace}/${name}`);
    const accountName = secret?.metadata.annotations?.[ACCOUNT_NAME];
    if (secret === undefined || secret.metadata.deletionTimestamp !== undefined || !accountName) return undefined;
    const account = await this.#account(namespace, accountName);
    const uid = secret.metadata.annotations?.[ACCOUNT_UID];
    if (account === undefined || (uid && uid !== account.metadata.uid)) {
      await this.#delete(secret);
      return undefined;
    }
    const annotations = { ...secret.metadata.annotations, [ACCOUNT_UID]: account.metadata.uid };
    const data = {
      ...secret.data,
      'ca.crt': base64(rootCA),
      namespace: base64(namespace),
      token: secret.data?.['token'] || base64(legacyTokens.legacyToken(account, name)),
    };
    if (equalJSON(data, secret.data) && uid === account.metadata.uid) return undefined;
    await client.update(resources.secrets, { ...secret, metadata: { ...secret.metadata, annotations }, data });
    return undefined;
  }

  /** The informer may be behind: before a Secret is deleted the server is asked. */
  async #account(namespace: string, name: string): Promise<DeepReadonly<ServiceAccount> | undefined> {
    const { client, serviceAccounts } = this.#deps;
    const known = serviceAccounts.lister.get(`${namespace}/${name}`);
    return known ?? ignoreNotFound(client.get(resources.serviceaccounts, { namespace, name }));
  }

  async #delete({ metadata }: DeepReadonly<Secret>): Promise<void> {
    try {
      const preconditions = { uid: metadata.uid, resourceVersion: metadata.resourceVersion };
      await ignoreNotFound(this.#deps.client.delete(resources.secrets, metadata, { preconditions }));
    } catch (error) {
      if (!isStatusError(error, 'Conflict')) throw error;
    }
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
