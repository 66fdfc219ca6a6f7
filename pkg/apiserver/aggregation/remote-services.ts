import type { Agent } from 'node:https';
import { resources } from '../../api/generated/resources.ts';
import type { APIService } from '../../api/generated/types.ts';
import type { Clock } from '../../base/clock.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type { ObjectReader } from '../contract.ts';
import { VerifyingAgent } from '../trust/index.ts';
import { isAvailable } from './availability.ts';
import type { Priority } from './priorities.ts';

/** What the API server shows to aggregated servers, PEM. */
export interface FrontProxyTLS {
  readonly cert: string;
  readonly key: string;
}

/** A group and version that another server serves. */
export interface RemoteService {
  /** `VERSION.GROUP`. */
  readonly name: string;
  readonly group: string;
  readonly version: string;
  readonly priority: Priority;
  readonly service: { readonly namespace: string; readonly name: string; readonly port: number };
  /** The name that its certificate is for. */
  readonly serverName: string;
  readonly isAvailable: boolean;
  /** Verifies the server, and shows that requests come from the API server. */
  readonly agent: Agent;
}

const CONNECT_TIMEOUT_MS = 10_000;

interface Held {
  readonly remote: RemoteService;
  /** What the agent was made from. */
  readonly tls: string;
}

/** The APIServices that are not served here, as they are now. */
export class RemoteServices {
  readonly #tls: FrontProxyTLS;
  readonly #clock: Clock;
  readonly #held = new Map<string, Held>();
  readonly #listeners = new Set<(name: string) => void>();
  #generation = 0;

  private constructor(tls: FrontProxyTLS, clock: Clock) {
    this.#tls = tls;
    this.#clock = clock;
  }

  /** Follows the APIServices from now on; goes with the reader. */
  static watch(reader: ObjectReader, tls: FrontProxyTLS, clock: Clock): RemoteServices {
    const services = new RemoteServices(tls, clock);
    reader.onChange(resources.apiservices, (service, change) => services.#learn(service, change === 'DELETED'));
    return services;
  }

  /** Grows with every change of what there is. */
  get generation(): number {
    return this.#generation;
  }

  get size(): number {
    return this.#held.size;
  }

  find(group: string, version: string): RemoteService | undefined {
    return this.#held.size === 0 ? undefined : this.#held.get(`${version}.${group}`)?.remote;
  }

  *all(): Iterable<RemoteService> {
    for (const { remote } of this.#held.values()) yield remote;
  }

  /** Called with the name of each that came, changed or went. Returns the removal. */
  onChange(listener: (name: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #learn(object: DeepReadonly<APIService>, isDeleted: boolean): void {
    const name = object.metadata.name ?? '';
    const before = this.#held.get(name);
    const held = isDeleted ? undefined : this.#describe(object, before);
    if (held === undefined && before === undefined) return;
    if (held === undefined) this.#held.delete(name);
    else this.#held.set(name, held);
    if (before !== undefined && before.remote.agent !== held?.remote.agent) closeIdle(before.remote.agent);
    this.#generation++;
    for (const listener of this.#listeners) listener(name);
  }

  #describe(object: DeepReadonly<APIService>, before: Held | undefined): Held | undefined {
    const { spec } = object;
    if (spec?.service === undefined || spec.service === null) return undefined;
    const { namespace = '', name = '', port = 443 } = spec.service;
    const serverName = `${name}.${namespace}.svc`;
    const tls = JSON.stringify([serverName, port, spec.caBundle ?? '', spec.insecureSkipTLSVerify === true]);
    return {
      tls,
      remote: {
        name: object.metadata.name ?? '',
        group: spec.group ?? '',
        version: spec.version ?? '',
        priority: { group: spec.groupPriorityMinimum ?? 0, version: spec.versionPriority ?? 0 },
        service: { namespace, name, port },
        serverName,
        isAvailable: isAvailable(object),
        agent: before?.tls === tls ? before.remote.agent : this.#newAgent(spec),
      },
    };
  }

  #newAgent({ caBundle, insecureSkipTLSVerify }: DeepReadonly<NonNullable<APIService['spec']>>): Agent {
    return new VerifyingAgent(
      {
        certificate: this.#tls.cert,
        key: this.#tls.key,
        ...(caBundle === undefined ? {} : { authorities: Buffer.from(caBundle, 'base64').toString('utf8') }),
        ...(insecureSkipTLSVerify === undefined ? {} : { insecureSkipTLSVerify }),
      },
      { keepAlive: true, timeoutMs: CONNECT_TIMEOUT_MS },
      this.#clock,
    );
  }
}

/** What is under way goes on to its end. */
function closeIdle(agent: Agent): void {
  for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
}
