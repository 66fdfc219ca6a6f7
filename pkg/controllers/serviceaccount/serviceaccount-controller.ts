import { isStatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { Namespace, ServiceAccount } from '../../api/generated/types.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Client, Informer } from '../../client/client.ts';
import type { ReconcileResult, Reconciler, Request } from '../../controller/controller.ts';
import { Controller } from '../../controller/run-controller.ts';
import { fromInformer } from '../../controller/sources.ts';
import type { ControllerCommonDeps } from '../deps.ts';
import { isNamespaceTerminating } from '../pod-control.ts';

const NAME = 'default';

export interface ServiceAccountReconcilerDeps {
  readonly client: Client;
  readonly namespaces: Informer<Namespace>;
  readonly serviceAccounts: Informer<ServiceAccount>;
}

/** Gives every namespace its ServiceAccount `default`. */
export function newServiceAccountController(deps: ControllerCommonDeps): Component {
  const namespaces = deps.informers.for(resources.namespaces);
  const serviceAccounts = deps.informers.for(resources.serviceaccounts);
  return new Controller(
    {
      name: 'serviceaccount-controller',
      sources: [
        fromInformer(namespaces),
        fromInformer(serviceAccounts, {
          map: ({ metadata: { name, namespace } }) => (name === NAME ? [{ namespace: '', name: namespace }] : []),
        }),
      ],
      reconciler: new ServiceAccountReconciler({ ...deps, namespaces, serviceAccounts }),
    },
    deps,
  );
}

export class ServiceAccountReconciler implements Reconciler {
  readonly #deps: ServiceAccountReconcilerDeps;

  constructor(deps: ServiceAccountReconcilerDeps) {
    this.#deps = deps;
  }

  async reconcile({ name: namespace }: Request): Promise<ReconcileResult> {
    const { client, namespaces, serviceAccounts } = this.#deps;
    const owner = namespaces.lister.get(namespace);
    if (owner === undefined || owner.metadata.deletionTimestamp !== undefined) return undefined;
    if (serviceAccounts.lister.get(`${namespace}/${NAME}`) !== undefined) return undefined;
    try {
      await client.create(resources.serviceaccounts, { metadata: { name: NAME, namespace } });
    } catch (error) {
      if (!isStatusError(error, 'AlreadyExists') && !isNamespaceTerminating(error)) throw error;
    }
    return undefined;
  }
}
