import type { Clock } from '../../base/clock.ts';
import { EvictionLimiter } from './eviction-limiter.ts';
import { type ReadNode, readyStatus } from './node-conditions.ts';

/** Upstream's defaults of --node-eviction-rate and --secondary-node-eviction-rate, in nodes a second. */
const RATE = 0.1;
const SECONDARY_RATE = 0.01;
/** Up to so many nodes a zone that is partly down has none of its pods driven away (--large-cluster-size-threshold). */
const LARGE_ZONE = 50;
/** The part of a zone that is down, at least three nodes, from which on it counts as partly down (--unhealthy-zone-threshold). */
const UNHEALTHY = 0.55;
const UNHEALTHY_NODES = 3;

const EXCLUDED = 'node.kubernetes.io/exclude-disruption';
/** What of a node's labels decides where it counts. */
const ZONE_LABELS = [
  ['failure-domain.beta.kubernetes.io/region', 'topology.kubernetes.io/region'],
  ['failure-domain.beta.kubernetes.io/zone', 'topology.kubernetes.io/zone'],
] as const;

export type ZoneState = 'Normal' | 'PartialDisruption' | 'FullDisruption';

/** How a zone is, by the number of its nodes that are ready and of those that are not. */
export function zoneState(ready: number, notReady: number): ZoneState {
  if (ready === 0 && notReady > 0) return 'FullDisruption';
  const isUnhealthy = notReady >= UNHEALTHY_NODES && notReady / (ready + notReady) >= UNHEALTHY;
  return isUnhealthy ? 'PartialDisruption' : 'Normal';
}

/** What a change of a node means to others. */
export interface ZoneTurn {
  /** Nodes that are not ready, whose pods may be driven away now, or no longer. */
  readonly concerned: readonly string[];
  /** Until now no node of the whole cluster was ready. */
  readonly endsOutage: boolean;
}

interface Zone {
  readonly ready: Set<string>;
  readonly notReady: Set<string>;
  readonly limiter: EvictionLimiter;
}

const NO_TURN: ZoneTurn = { concerned: [], endsOutage: false };

/**
 * The nodes by zone, and how fast pods may be driven away from those that are not ready: where much of a zone is down, the link
 * to it is more likely broken than its machines; where all nodes of all zones are, it is the control plane that is cut off.
 */
export class NodeZones {
  readonly #clock: Clock;
  readonly #zones = new Map<string, Zone>();
  readonly #zoneOf = new Map<string, string>();
  #isOutage = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A node is there or has changed. */
  note(node: ReadNode): ZoneTurn {
    const { name, labels = {} } = node.metadata;
    this.#remove(name);
    const zone = this.#zone(zoneKey(labels));
    // Excluded nodes say nothing about their zone; they take turns with the others all the same.
    this.#zoneOf.set(name, zoneKey(labels));
    if (labels[EXCLUDED] === undefined) (readyStatus(node) === 'True' ? zone.ready : zone.notReady).add(name);
    return this.#settle();
  }

  forget(name: string): ZoneTurn {
    this.#remove(name);
    this.#zoneOf.delete(name);
    return this.#settle();
  }

  /** No node of any zone is ready: no pods are driven away. */
  get isOutage(): boolean {
    return this.#isOutage;
  }

  /** The turn of a node to have its pods driven away: 0, or the milliseconds to wait; undefined: not as things are. */
  take(name: string): number | undefined {
    const zone = this.#zones.get(this.#zoneOf.get(name) ?? '');
    return zone?.limiter.take(this.#clock.monotonic());
  }

  #zone(key: string): Zone {
    let zone = this.#zones.get(key);
    if (zone === undefined) {
      zone = { ready: new Set(), notReady: new Set(), limiter: new EvictionLimiter(RATE, this.#clock.monotonic()) };
      this.#zones.set(key, zone);
    }
    return zone;
  }

  #remove(name: string): void {
    const zone = this.#zones.get(this.#zoneOf.get(name) ?? '');
    zone?.ready.delete(name);
    zone?.notReady.delete(name);
  }

  /** Brings the rates to what the zones are like now. */
  #settle(): ZoneTurn {
    const populated = [...this.#zones.values()].filter(({ ready, notReady }) => ready.size + notReady.size > 0);
    const isOutage = populated.length > 0 && populated.every(({ ready }) => ready.size === 0);
    const wasOutage = this.#isOutage;
    this.#isOutage = isOutage;
    let turn = NO_TURN;
    for (const { ready, notReady, limiter } of populated) {
      const rate = isOutage ? 0 : rateIn(ready.size, notReady.size);
      if (limiter.setRate(rate, this.#clock.monotonic())) {
        turn = { ...turn, concerned: [...turn.concerned, ...notReady] };
      }
    }
    return wasOutage && !isOutage ? { ...turn, endsOutage: true } : turn;
  }
}

/** Labels on which it depends where a node counts. */
export function zoneLabels({ metadata: { labels = {} } }: ReadNode): unknown {
  return [zoneKey(labels), labels[EXCLUDED]];
}

/** Upstream: GetZoneKey, which still goes by the old labels first. */
function zoneKey(labels: Readonly<Record<string, string>>): string {
  return ZONE_LABELS.map(([old, current]) => labels[old] ?? labels[current] ?? '').join('\0');
}

function rateIn(ready: number, notReady: number): number {
  if (zoneState(ready, notReady) !== 'PartialDisruption') return RATE;
  return ready + notReady > LARGE_ZONE ? SECONDARY_RATE : 0;
}
