/** An element of one of the table's sets or maps, in nft's words. `data` only for maps. */
export interface Element {
  readonly set: string;
  readonly key: string;
  readonly data?: string;
}

/** Where UDP clients of a Service port send to, and who answers: what connection tracking may remember wrongly. */
export interface UDPService {
  /** Addresses with the port, `nodePort` for any local address. */
  readonly frontends: readonly { readonly address?: string; readonly port: number }[];
  readonly family: 'ipv4' | 'ipv6';
  /** Backends that answer, those that are going among them: `address port`. */
  readonly endpoints: ReadonlySet<string>;
}

/** What one owner (a Service, a pod with host ports, the cluster's nodes) wants in the table. */
export interface Plan {
  /** Rules by chain. The names belong to the owner alone. */
  readonly chains: ReadonlyMap<string, readonly string[]>;
  /** Definitions by name of sets that belong to the owner alone. */
  readonly sets: ReadonlyMap<string, string>;
  /** Rules by chain; whoever wants one of these wants the same rules. */
  readonly sharedChains: ReadonlyMap<string, readonly string[]>;
  /** Definitions by name; whoever wants one of these maps wants the same. */
  readonly sharedMaps: ReadonlyMap<string, string>;
  /** Several owners may want the same element; the one that came first has it. */
  readonly elements: readonly Element[];
  /** By a name of the Service port. */
  readonly udp: ReadonlyMap<string, UDPService>;
}

/** A plan while it is being made. */
export class PlanBuilder implements Plan {
  readonly chains = new Map<string, readonly string[]>();
  readonly sets = new Map<string, string>();
  readonly sharedChains = new Map<string, readonly string[]>();
  readonly sharedMaps = new Map<string, string>();
  readonly elements: Element[] = [];
  readonly udp = new Map<string, UDPService>();

  element(set: string, key: string, data?: string): void {
    this.elements.push(data === undefined ? { set, key } : { set, key, data });
  }
}
