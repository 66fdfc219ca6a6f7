import { resources } from '../api/generated/resources.ts';
import type { Ingress, Secret } from '../api/generated/types.ts';
import { isServedIngress, usersSecretOf } from '../api/ingress-class.ts';
import type { DeepReadonly } from '../api/object.ts';
import { equalJSON } from '../base/json.ts';
import type { Informer, Informers } from '../client/client.ts';
import { ANNOTATION_PREFIX } from './annotation-reader.ts';

/** The Ingresses that kube-lite serves, and the Secrets that they name, by informers. */
export interface ServedIngresses {
  list(): DeepReadonly<Ingress>[];
  /** Of a Secret that an Ingress names; each is watched by its name, which is all that a node may do. */
  secret(key: string): DeepReadonly<Secret> | undefined;
  /** The Secret with those who may use an Ingress. */
  usersOf(ingress: DeepReadonly<Ingress>): DeepReadonly<Secret> | undefined;
  synced(signal: AbortSignal): Promise<void>;
}

/** `changed` is called when something of them does, more often than needed. */
export function watchServedIngresses(informers: Informers, changed: () => void): ServedIngresses {
  const ingresses = informers.for(resources.ingresses);
  const classes = informers.for(resources.ingressclasses);
  const secrets = new Map<string, Informer<Secret>>();
  const handler = { onAdd: changed, onUpdate: changed, onDelete: changed };
  classes.addHandler(handler);
  ingresses.addHandler({
    ...handler,
    onUpdate(ingress, old) {
      const same =
        equalJSON(ingress.spec, old.spec) && equalJSON(ingress.metadata.annotations, old.metadata.annotations);
      if (!same) changed();
    },
  });
  const secret = (key: string): DeepReadonly<Secret> | undefined => {
    const [namespace = '', name = ''] = key.split('/');
    let informer = secrets.get(key);
    if (informer === undefined) {
      informer = informers.for(resources.secrets, { namespace, fieldSelector: `metadata.name=${name}` });
      informer.addHandler(handler);
      secrets.set(key, informer);
    }
    return informer.lister.get(key);
  };
  return {
    list: () =>
      [...ingresses.lister.list()].filter(
        (ingress) =>
          ingress.metadata.deletionTimestamp === undefined &&
          isServedIngress(ingress, (name) => classes.lister.get(name), classes.lister.list()),
      ),
    secret,
    usersOf(ingress) {
      const name = usersSecretOf(ingress);
      return name === undefined ? undefined : secret(`${ingress.metadata.namespace}/${name}`);
    },
    async synced(signal) {
      await ingresses.synced(signal);
      await classes.synced(signal);
    },
  };
}

/** The Services that Ingresses name, as `namespace/name`. */
export function namedServices(ingresses: readonly DeepReadonly<Ingress>[]): Set<string> {
  const named = new Set<string>();
  for (const ingress of ingresses) {
    const { namespace } = ingress.metadata;
    const paths = (ingress.spec?.rules ?? []).flatMap(({ http }) => http?.paths ?? []);
    for (const backend of [ingress.spec?.defaultBackend, ...paths.map((path) => path.backend)])
      if (backend?.service?.name !== undefined) named.add(`${namespace}/${backend.service.name}`);
    const instead = ingress.metadata.annotations?.[`${ANNOTATION_PREFIX}default-backend`];
    if (instead !== undefined) named.add(`${namespace}/${instead}`);
  }
  return named;
}
