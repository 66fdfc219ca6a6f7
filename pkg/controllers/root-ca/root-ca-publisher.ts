import { isStatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { ConfigMap, Namespace } from '../../api/generated/types.ts';
import { equalJSON } from '../../base/json.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Client, Informer } from '../../client/client.ts';
import type { ReconcileResult, Reconciler, Request } from '../../controller/controller.ts';
import { Controller } from '../../controller/run-controller.ts';
import { fromInformer } from '../../controller/sources.ts';
import type { ControllerCommonDeps } from '../deps.ts';
import { isNamespaceTerminating } from '../pod-control.ts';

const NAME = 'kube-root-ca.crt';
/** Users read this in `kubectl describe`; the wording is upstream's wire value. */
const DESCRIPTION =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.';

export interface RootCAPublisherDeps {
  readonly client: Client;
  readonly namespaces: Informer<Namespace>;
  readonly configMaps: Informer<ConfigMap>;
  /** The certificates (PEM) that have signed the API server's. */
  readonly rootCA: string;
}

/** Puts the API server's CA into every namespace, for the pods in it. */
export function newRootCAPublisher(deps: ControllerCommonDeps & { readonly rootCA: string }): Component {
  const namespaces = deps.informers.for(resources.namespaces);
  const configMaps = deps.informers.for(resources.configmaps, { fieldSelector: `metadata.name=${NAME}` });
  return new Controller(
    {
      name: 'root-ca-certificate-publisher-controller',
      sources: [
        fromInformer(namespaces),
        fromInformer(configMaps, { map: ({ metadata }) => [{ namespace: '', name: metadata.namespace }] }),
      ],
      reconciler: new RootCAPublisher({ ...deps, namespaces, configMaps }),
    },
    deps,
  );
}

export class RootCAPublisher implements Reconciler {
  readonly #deps: RootCAPublisherDeps;

  constructor(deps: RootCAPublisherDeps) {
    this.#deps = deps;
  }

  async reconcile({ name: namespace }: Request): Promise<ReconcileResult> {
    const { client, namespaces, configMaps, rootCA } = this.#deps;
    const owner = namespaces.lister.get(namespace);
    if (owner === undefined || owner.metadata.deletionTimestamp !== undefined) return undefined;
    const current = configMaps.lister.get(`${namespace}/${NAME}`);
    const data = { 'ca.crt': rootCA };
    const annotations = { 'kubernetes.io/description': DESCRIPTION };
    try {
      if (current === undefined) {
        await client.create(resources.configmaps, { metadata: { name: NAME, namespace, annotations }, data });
      } else if (
        !equalJSON(current.data, data) ||
        current.metadata.annotations?.['kubernetes.io/description'] !== DESCRIPTION
      ) {
        const metadata = { ...current.metadata, annotations: { ...current.metadata.annotations, ...annotations } };
        await client.update(resources.configmaps, { ...current, metadata, data });
      }
    } catch (error) {
      if (!isStatusError(error, 'AlreadyExists') && !isNamespaceTerminating(error)) throw error;
    }
    return undefined;
  }
}
