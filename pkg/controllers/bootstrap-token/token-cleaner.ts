import { resources } from '../../api/generated/resources.ts';
import type { Secret } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Client, Lister } from '../../client/client.ts';
import { ignoreNotFound } from '../../client/retry.ts';
import type { ReconcileResult, Reconciler, Request } from '../../controller/controller.ts';
import { Controller } from '../../controller/run-controller.ts';
import { fromInformer } from '../../controller/sources.ts';
import type { ControllerCommonDeps } from '../deps.ts';

const NAMESPACE = 'kube-system';
const TOKEN_TYPE = 'bootstrap.kubernetes.io/token';

export interface TokenCleanerDeps {
  readonly client: Client;
  readonly clock: ControllerCommonDeps['clock'];
  readonly secrets: Lister<Secret>;
}

/** Deletes bootstrap tokens that have expired. */
export function newTokenCleaner(deps: ControllerCommonDeps): Component {
  const secrets = deps.informers.for(resources.secrets);
  return new Controller(
    {
      name: 'token-cleaner',
      sources: [
        fromInformer(secrets, {
          map: (secret) =>
            expiryMs(secret) === undefined ? [] : [{ namespace: NAMESPACE, name: secret.metadata.name }],
        }),
      ],
      reconciler: new TokenCleaner({ ...deps, secrets: secrets.lister }),
    },
    deps,
  );
}

export class TokenCleaner implements Reconciler {
  readonly #deps: TokenCleanerDeps;

  constructor(deps: TokenCleanerDeps) {
    this.#deps = deps;
  }

  async reconcile({ name }: Request): Promise<ReconcileResult> {
    const { client, clock, secrets } = this.#deps;
    const secret = secrets.get(`${NAMESPACE}/${name}`);
    const atMs = secret === undefined ? undefined : expiryMs(secret);
    if (secret === undefined || atMs === undefined) return undefined;
    const leftMs = atMs - clock.now();
    if (leftMs > 0) return { requeueAfterMs: leftMs };
    const { uid } = secret.metadata;
    await ignoreNotFound(client.delete(resources.secrets, { namespace: NAMESPACE, name }, { preconditions: { uid } }));
    return undefined;
  }
}

/** When a bootstrap token ends, in milliseconds since 1970; undefined: never, or it is no such token. One that is unreadable has ended. */
export function expiryMs({ metadata, type, data }: DeepReadonly<Secret>): number | undefined {
  if (metadata.namespace !== NAMESPACE || type !== TOKEN_TYPE) return undefined;
  const text = Buffer.from(data?.['expiration'] ?? '', 'base64').toString();
  if (text === '') return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? 0 : ms;
}
