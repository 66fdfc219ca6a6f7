import { resources } from '../api/generated/resources.ts';
import type { Ingress, Node } from '../api/generated/types.ts';
import { outsideAddresses, takesOutsideTraffic } from '../api/node-addresses.ts';
import { type DeepReadonly, keyOf } from '../api/object.ts';
import { equalJSON } from '../base/json.ts';
import type { Component } from '../base/lifecycle.ts';
import type { Client, Informer, Informers } from '../client/client.ts';
import type { EventRecorder } from '../client/event-recorder.ts';
import { ignoreNotFound } from '../client/retry.ts';
import {
  Controller,
  type ControllerDeps,
  fromInformer,
  type ReconcileResult,
  type Reconciler,
  type Request,
} from '../controller/index.ts';
import { parseAnnotations } from './annotations.ts';
import { problemsOfUsers } from './basic-auth.ts';
import { buildTable } from './build-table.ts';
import { Certificates } from './certificates.ts';
import { type ServedIngresses, watchServedIngresses } from './served-ingresses.ts';
import { loadRegexCompiler } from './user-regex.ts';

export interface IngressStatusDeps extends ControllerDeps {
  readonly client: Client;
  readonly informers: Informers;
  readonly recorder: EventRecorder;
}

const ALL: Request = { namespace: '', name: 'all' };

/**
 * Writes the addresses of the nodes into the status of the Ingresses that they serve, and says in events what of an Ingress
 * is not served as it is written. One for the cluster.
 */
export function createIngressStatus(deps: IngressStatusDeps): Component {
  const nodes = deps.informers.for(resources.nodes);
  let enqueue: (request: Request) => void = () => {};
  const served = watchServedIngresses(deps.informers, () => enqueue(ALL));
  return new Controller(
    {
      name: 'ingress-status',
      workers: 1,
      sources: [
        {
          async start(add, signal) {
            enqueue = add;
            await served.synced(signal);
            add(ALL);
          },
        },
        fromInformer(nodes, {
          map: () => [ALL],
          updated: (node, old) => !equalJSON(addressesOf([node]), addressesOf([old])),
        }),
      ],
      reconciler: new IngressStatus({ ...deps, nodes, served }),
    },
    deps,
  );
}

class IngressStatus implements Reconciler {
  readonly #deps: IngressStatusDeps & { readonly nodes: Informer<Node>; readonly served: ServedIngresses };
  readonly #certificates: Certificates;
  /** The problems that were told last, by the uid of their Ingress. */
  readonly #told = new Map<string, string>();

  constructor(deps: IngressStatusDeps & { readonly nodes: Informer<Node>; readonly served: ServedIngresses }) {
    this.#deps = deps;
    this.#certificates = new Certificates((key) => deps.served.secret(key));
  }

  async reconcile(): Promise<ReconcileResult> {
    const { served, nodes } = this.#deps;
    const ingresses = served.list();
    const addresses = addressesOf([...nodes.lister.list()]);
    for (const ingress of ingresses) await this.#setStatus(ingress, addresses);
    const { problems } = buildTable(ingresses, await loadRegexCompiler());
    const certificates = this.#certificates.update(ingresses);
    for (const ingress of ingresses) {
      const key = keyOf(ingress);
      const { basicAuth } = parseAnnotations(ingress.metadata.annotations ?? {}).settings;
      const users = basicAuth === undefined ? [] : problemsOfUsers(served.usersOf(ingress), basicAuth);
      this.#tell(ingress, [...(problems.get(key) ?? []), ...(certificates.get(key) ?? []), ...users]);
    }
    const present = new Set(ingresses.map(({ metadata }) => metadata.uid));
    for (const uid of this.#told.keys()) if (!present.has(uid)) this.#told.delete(uid);
    return undefined;
  }

  async #setStatus(ingress: DeepReadonly<Ingress>, addresses: readonly { ip: string }[]): Promise<void> {
    if (equalJSON(ingress.status?.loadBalancer?.ingress ?? [], addresses)) return;
    const { namespace = '', name, uid } = ingress.metadata;
    const loadBalancer = { ingress: addresses.length === 0 ? null : addresses };
    const patch = { metadata: { uid }, status: { loadBalancer } };
    const { client } = this.#deps;
    await ignoreNotFound(
      client.patch(resources.ingresses, { namespace, name }, 'merge', patch, { subresource: 'status' }),
    );
  }

  #tell(ingress: DeepReadonly<Ingress>, problems: readonly string[]): void {
    const { uid } = ingress.metadata;
    const text = problems.join('; ');
    if (text === (this.#told.get(uid) ?? '')) return;
    this.#told.set(uid, text);
    for (const problem of problems) this.#deps.recorder.event(ingress, 'Warning', 'NotServedAsWritten', problem);
  }
}

/** Of the nodes that take traffic from outside, in the order of their names. */
function addressesOf(nodes: readonly DeepReadonly<Node>[]): { ip: string }[] {
  const taking = nodes.filter(takesOutsideTraffic).sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  return taking.flatMap((node) =>
    (['IPv4', 'IPv6'] as const).flatMap((family) => outsideAddresses(node, family).map((ip) => ({ ip }))),
  );
}
