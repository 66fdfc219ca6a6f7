import { quantityValue } from '../../api/quantity.ts';
import { isAbortError } from '../../base/abort.ts';
import type { Logger } from '../../base/logger.ts';
import type { CheckpointFile } from '../checkpoints/checkpoint-file.ts';
import { isRegularInit, podNeed } from '../topology/exclusive-request.ts';
import type { Hint, HintProvider, Hints } from '../topology/hints.ts';
import type { Container, Pod } from '../types.ts';
import { chooseDevices } from './choose-devices.ts';
import { deviceHints, type KnownDevices } from './device-hints.ts';
import type { ContainerAllocation, Device, DevicePlugin } from './device-plugin.ts';

export interface DeviceManagerDeps {
  /** What was given away before. */
  readonly file: CheckpointFile;
  /** Ids of the machine's NUMA nodes. */
  readonly nodes: readonly number[];
  readonly logger: Logger;
  /** The devices of a resource changed. */
  readonly changed: () => void;
  /** Whether the pod with this uid runs here, or will: devices of others are free. */
  readonly hasPod: (uid: string) => boolean;
}

/** A device that a container has, or that one may have. */
export interface PlacedDevice {
  readonly resource: string;
  readonly id: string;
  /** The NUMA nodes that it is near to; undefined: none in particular. */
  readonly nodes?: readonly number[];
}

interface Resource {
  readonly plugin: DevicePlugin;
  readonly stop: AbortController;
  devices: KnownDevices;
  /** The plugin is there; one that went keeps its resource, with nothing to give. */
  alive: boolean;
}

interface Allocation {
  readonly podUID: string;
  readonly container: string;
  readonly resource: string;
  readonly ids: readonly string[];
  readonly given: ContainerAllocation;
}

/** The file's content. */
interface Kept {
  readonly resources: readonly string[];
  readonly allocations: readonly Allocation[];
}

const EMPTY = JSON.stringify({ resources: [], allocations: [] } satisfies Kept);

/** The devices that plugins offer, and which containers have them. What is given away is kept in a file, over restarts. */
export class DeviceManager implements HintProvider {
  readonly #deps: DeviceManagerDeps;
  readonly #resources = new Map<string, Resource>();
  /** Those that plugins offered before this kubelet started. */
  #known: readonly string[] = [];
  #allocations: Allocation[] = [];
  /** What init containers of the pod that is being admitted had, by resource. */
  #reusable: { readonly uid: string; readonly ids: Map<string, ReadonlySet<string>> } | undefined;
  /** The file's content. */
  #noted = EMPTY;

  constructor(deps: DeviceManagerDeps) {
    this.#deps = deps;
  }

  /** Reads what was given away before; a file that cannot be read is as good as none. */
  async load(): Promise<void> {
    try {
      const text = await this.#deps.file.read();
      if (text === undefined) return;
      const kept = JSON.parse(text) as Kept;
      this.#allocations = [...kept.allocations];
      this.#known = kept.resources;
      this.#noted = this.#text();
    } catch (error) {
      this.#deps.logger.warn({ err: error }, 'which devices were given away could not be read');
    }
  }

  /** A plugin (again) offers a resource. */
  add(plugin: DevicePlugin): void {
    const before = this.#resources.get(plugin.resourceName);
    before?.stop.abort();
    before?.plugin.close();
    const resource: Resource = {
      plugin,
      stop: new AbortController(),
      devices: before?.devices ?? new Map(),
      alive: true,
    };
    this.#resources.set(plugin.resourceName, resource);
    this.saved().catch((error: unknown) => this.#deps.logger.warn({ err: error }, 'devices could not be noted'));
    this.#follow(resource).catch((error: unknown) => {
      if (!isAbortError(error))
        this.#deps.logger.warn({ err: error, resource: plugin.resourceName }, 'a device plugin went');
    });
  }

  close(): void {
    for (const { plugin, stop } of this.#resources.values()) {
      stop.abort();
      plugin.close();
    }
  }

  /** By resource: what the node has, and what pods may have of it. */
  amounts(): { readonly capacity: Record<string, string>; readonly allocatable: Record<string, string> } {
    const capacity: Record<string, string> = {};
    const allocatable: Record<string, string> = {};
    // Until the plugin is back nobody knows what it has.
    for (const name of this.#known) {
      capacity[name] = '0';
      allocatable[name] = '0';
    }
    for (const [name, { devices, alive }] of this.#resources) {
      capacity[name] = String(devices.size);
      allocatable[name] = String(alive ? [...devices.values()].filter(({ healthy }) => healthy).length : 0);
    }
    return { capacity, allocatable };
  }

  containerHints(pod: Pod, container: Container): Hints {
    const wanted = this.#wanted(container);
    return new Map([...wanted].map(([resource, count]) => [resource, this.#hints(pod, [container], resource, count)]));
  }

  podHints(pod: Pod): Hints {
    const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
    const resources = new Set(containers.flatMap((container) => [...this.#wanted(container).keys()]));
    const need = (resource: string): number => podNeed(pod, (container) => this.#wanted(container).get(resource) ?? 0);
    return new Map([...resources].map((name) => [name, this.#hints(pod, containers, name, need(name))]));
  }

  async allocate(pod: Pod, container: Container, hint: Hint): Promise<void> {
    const { uid } = pod.metadata;
    for (const [resource, count] of this.#wanted(container)) {
      const had = this.#allocations.find((one) => isOf(one, uid, container.name) && one.resource === resource);
      const allocation = had ?? (await this.#allocate(pod, container, resource, count, hint));
      if (had === undefined) this.#allocations.push(allocation);
      this.#noteReuse(pod, container, allocation);
    }
  }

  reclaim(refused?: string): void {
    this.#allocations = this.#allocations.filter(({ podUID }) => podUID !== refused && this.#deps.hasPod(podUID));
  }

  async saved(): Promise<void> {
    const text = this.#text();
    if (text === this.#noted) return;
    await this.#deps.file.write(() => this.#text());
    this.#noted = text;
  }

  /** The devices that a container has. */
  devicesOf(podUID: string, container: string): PlacedDevice[] {
    return this.#allocations
      .filter((one) => isOf(one, podUID, container))
      .flatMap(({ resource, ids }) => ids.map((id) => this.#placed(resource, id)));
  }

  /** The devices that can be given away. */
  allocatableDevices(): PlacedDevice[] {
    return [...this.#resources].flatMap(([resource, found]) =>
      [...healthyIds(found)].map((id) => this.#placed(resource, id)),
    );
  }

  /** What a container was given, by resource. */
  given(
    podUID: string,
    container: string,
  ): readonly { readonly resource: string; readonly given: ContainerAllocation }[] {
    return this.#allocations.filter((one) => isOf(one, podUID, container));
  }

  /** Tells the plugins that the container is about to start. Throws CriError. */
  async preStart(podUID: string, container: string): Promise<void> {
    for (const one of this.#allocations) {
      if (!isOf(one, podUID, container)) continue;
      await this.#resources.get(one.resource)?.plugin.preStart(one.ids);
    }
  }

  async #follow(resource: Resource): Promise<void> {
    try {
      for await (const devices of resource.plugin.devices(resource.stop.signal)) {
        resource.devices = new Map(devices.map((device) => [device.id, knownDevice(device)]));
        this.#deps.changed();
      }
    } finally {
      if (!resource.stop.signal.aborted) {
        resource.alive = false;
        this.#deps.changed();
      }
    }
  }

  /** How many devices of which resources a container asks for. */
  #wanted({ resources }: Container): Map<string, number> {
    return new Map(
      Object.entries(resources?.limits ?? {})
        .filter(([resource]) => this.#resources.has(resource))
        .map(([resource, amount]) => [resource, quantityValue(amount)]),
    );
  }

  #hints(pod: Pod, containers: readonly Container[], resource: string, count: number): ReturnType<typeof deviceHints> {
    const { uid } = pod.metadata;
    const devices = this.#resources.get(resource)?.devices ?? new Map();
    const input = { nodes: this.#deps.nodes, devices, count };
    const had = new Set(
      this.#allocations
        .filter((one) => one.resource === resource && containers.some(({ name }) => isOf(one, uid, name)))
        .flatMap(({ ids }) => ids),
    );
    if (had.size > 0) {
      const hints = deviceHints({ ...input, available: had, reusable: new Set() });
      return hints === undefined || had.size === count ? hints : [];
    }
    return deviceHints({
      ...input,
      available: this.#available(resource),
      reusable: this.#reusableOf(pod, resource),
    });
  }

  #available(resource: string): ReadonlySet<string> {
    const found = this.#resources.get(resource);
    const taken = new Set(this.#allocations.filter((one) => one.resource === resource).flatMap(({ ids }) => ids));
    return found === undefined ? new Set() : healthyIds(found).difference(taken);
  }

  async #allocate(pod: Pod, container: Container, resource: string, count: number, hint: Hint): Promise<Allocation> {
    const found = this.#resources.get(resource);
    if (found === undefined) throw new Error(`no device plugin for ${resource}`);
    const { plugin, devices } = found;
    const ids = await chooseDevices({
      resource,
      count,
      devices,
      available: this.#available(resource),
      reusable: this.#reusableOf(pod, resource),
      preferred: (available, included) => plugin.preferred(available, included, count),
      ...(hint.nodes === undefined ? {} : { nodes: hint.nodes }),
    });
    const { uid } = pod.metadata;
    return { podUID: uid, container: container.name, resource, ids, given: await plugin.allocate(ids) };
  }

  #reusableOf({ metadata: { uid } }: Pod, resource: string): ReadonlySet<string> {
    return (this.#reusable?.uid === uid ? this.#reusable.ids.get(resource) : undefined) ?? new Set();
  }

  /** What an init container has, those after it may have; what an app container has of that, no other may. */
  #noteReuse(pod: Pod, container: Container, { resource, ids }: Allocation): void {
    const { uid } = pod.metadata;
    if (this.#reusable?.uid !== uid) this.#reusable = { uid, ids: new Map() };
    const before = this.#reusableOf(pod, resource);
    const own = new Set(ids);
    this.#reusable.ids.set(resource, isRegularInit(pod, container) ? before.union(own) : before.difference(own));
  }

  #placed(resource: string, id: string): PlacedDevice {
    const nodes = this.#resources.get(resource)?.devices.get(id)?.nodes;
    return { resource, id, ...(nodes === undefined ? {} : { nodes }) };
  }

  #text(): string {
    const resources = [...new Set([...this.#known, ...this.#resources.keys()])];
    const kept: Kept = { resources, allocations: this.#allocations };
    return JSON.stringify(kept);
  }
}

function isOf(allocation: Allocation, podUID: string, container: string): boolean {
  return allocation.podUID === podUID && allocation.container === container;
}

function healthyIds({ devices, alive }: Resource): Set<string> {
  return new Set(alive ? [...devices].filter(([, { healthy }]) => healthy).map(([id]) => id) : []);
}

function knownDevice({ health, topology }: Device): { healthy: boolean; nodes?: readonly number[] } {
  const healthy = health === 'Healthy';
  return topology === null ? { healthy } : { healthy, nodes: topology.nodes.map(({ id }) => id) };
}
