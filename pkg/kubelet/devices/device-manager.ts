import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { quantityValue } from '../../api/quantity.ts';
import { isAbortError } from '../../base/abort.ts';
import type { Logger } from '../../base/logger.ts';
import { criErrorText } from '../../cri/index.ts';
import type { PodFailure } from '../pod/pod-status.ts';
import { type Pod, specContainers } from '../types.ts';
import type { ContainerAllocation, DevicePlugin } from './device-plugin.ts';

export interface DeviceManagerDeps {
  readonly logger: Logger;
  /** The devices of a resource changed. */
  readonly changed: () => void;
  /** Whether the pod with this uid runs here, or will: devices of others are free. */
  readonly hasPod: (uid: string) => boolean;
}

interface Resource {
  readonly plugin: DevicePlugin;
  readonly stop: AbortController;
  /** Every device by id: whether it is healthy. */
  devices: ReadonlyMap<string, boolean>;
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

/** The devices that plugins offer, and which containers have them. What is given away is kept in a file, over restarts. */
export class DeviceManager {
  readonly #file: string;
  readonly #deps: DeviceManagerDeps;
  readonly #resources = new Map<string, Resource>();
  /** Those that plugins offered before this kubelet started. */
  #known: readonly string[] = [];
  #allocations: Allocation[] = [];
  /** One admission at a time, or two pods get the same device. */
  #turn: Promise<unknown> = Promise.resolve();
  #saved: Promise<void> = Promise.resolve();

  constructor(file: string, deps: DeviceManagerDeps) {
    this.#file = file;
    this.#deps = deps;
  }

  /** Reads what was given away before; a file that cannot be read is as good as none. */
  async load(): Promise<void> {
    const text = await readFile(this.#file, 'utf8').catch(() => undefined);
    if (text === undefined) return;
    try {
      const kept = JSON.parse(text) as Kept;
      this.#allocations = [...kept.allocations];
      this.#known = kept.resources;
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
    this.#save().catch((error: unknown) => this.#deps.logger.warn({ err: error }, 'devices could not be noted'));
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
      allocatable[name] = String(alive ? [...devices.values()].filter(Boolean).length : 0);
    }
    return { capacity, allocatable };
  }

  /** Gives the pod's containers their devices; why the pod cannot have them, when it cannot. */
  admit(pod: Pod): Promise<PodFailure | undefined> {
    const turn = this.#turn.then(() => this.#admit(pod));
    this.#turn = turn.catch(() => {});
    return turn;
  }

  /** What a container was given, by resource. */
  given(
    podUID: string,
    container: string,
  ): readonly { readonly resource: string; readonly given: ContainerAllocation }[] {
    return this.#allocations.filter((one) => one.podUID === podUID && one.container === container);
  }

  /** Tells the plugins that the container is about to start. Throws CriError. */
  async preStart(podUID: string, container: string): Promise<void> {
    for (const one of this.#allocations) {
      if (one.podUID !== podUID || one.container !== container) continue;
      await this.#resources.get(one.resource)?.plugin.preStart(one.ids);
    }
  }

  async #follow(resource: Resource): Promise<void> {
    try {
      for await (const devices of resource.plugin.devices(resource.stop.signal)) {
        resource.devices = new Map(devices.map(({ id, health }) => [id, health === 'Healthy']));
        this.#deps.changed();
      }
    } finally {
      if (!resource.stop.signal.aborted) {
        resource.alive = false;
        this.#deps.changed();
      }
    }
  }

  async #admit(pod: Pod): Promise<PodFailure | undefined> {
    const { uid } = pod.metadata;
    const kept = this.#allocations.filter(({ podUID }) => podUID === uid || this.#deps.hasPod(podUID));
    const wanted = specContainers(pod.spec).flatMap(({ container }) =>
      Object.entries(('resources' in container ? container.resources?.limits : undefined) ?? {})
        .filter(([resource]) => this.#resources.has(resource))
        .map(([resource, amount]) => ({ container: container.name, resource, count: quantityValue(String(amount)) })),
    );
    if (wanted.length === 0) return undefined;
    this.#allocations = kept;
    try {
      for (const { container, resource, count } of wanted) {
        if (this.given(uid, container).some((one) => one.resource === resource)) continue;
        this.#allocations.push(await this.#allocate(uid, container, resource, count));
      }
      await this.#save();
      return undefined;
    } catch (error) {
      this.#allocations = this.#allocations.filter(({ podUID }) => podUID !== uid);
      return {
        reason: 'UnexpectedAdmissionError',
        message: `Allocate failed due to ${criErrorText(error)}, which is unexpected`,
      };
    }
  }

  async #allocate(podUID: string, container: string, resource: string, count: number): Promise<Allocation> {
    const found = this.#resources.get(resource);
    if (found === undefined) throw new Error(`no device plugin for ${resource}`);
    const taken = new Set(this.#allocations.filter((one) => one.resource === resource).flatMap(({ ids }) => ids));
    const healthy = found.alive ? [...found.devices].filter(([, isHealthy]) => isHealthy).map(([id]) => id) : [];
    const free = healthy.filter((id) => !taken.has(id));
    if (free.length < count) {
      throw new Error(
        `requested number of devices unavailable for ${resource}. Requested: ${count}, Available: ${free.length}`,
      );
    }
    const preferred = (await found.plugin.preferred(free, count)).filter((id) => free.includes(id));
    const ids = [...new Set([...preferred, ...free])].slice(0, count);
    return { podUID, container, resource, ids, given: await found.plugin.allocate(ids) };
  }

  #save(): Promise<void> {
    const saving = this.#saved.then(() => this.#write());
    this.#saved = saving.catch(() => {});
    return saving;
  }

  async #write(): Promise<void> {
    const resources = [...new Set([...this.#known, ...this.#resources.keys()])];
    const kept: Kept = { resources, allocations: this.#allocations };
    await mkdir(dirname(this.#file), { recursive: true, mode: 0o750 });
    await writeFile(`${this.#file}.new`, JSON.stringify(kept), { mode: 0o600 });
    await rename(`${this.#file}.new`, this.#file);
  }
}
