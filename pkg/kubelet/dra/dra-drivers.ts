import { isStatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import { Backoff } from '../../base/backoff.ts';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { Client } from '../../client/index.ts';
import { DRA_SERVICES, DraDriver } from './dra-driver.ts';
import type { PluginHandler, PluginInfo } from './plugin-registry.ts';

export interface DraDriversDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A driver can be asked (again). */
  readonly registered: (driver: string) => void;
}

/** What drivers have to come back in before the devices of theirs on this node are taken off the list. Upstream's. */
const WIPE_DELAY_MS = 30_000;
const WIPE_RETRY = { initialMs: 1_000, maxMs: 300_000 };

/**
 * The drivers of devices that have registered here, each possibly in several instances (while one takes over from another). The
 * ResourceSlices of a driver that is away too long are removed: pods must not be sent here for devices that nobody prepares.
 */
export class DraDrivers implements PluginHandler {
  readonly #nodeName: string;
  readonly #deps: DraDriversDeps;
  /** The newest instance last. */
  readonly #instances = new Map<string, DraDriver[]>();
  /** Driver -> how to call its end off. */
  readonly #wipes = new Map<string, () => void>();
  readonly #stop = new AbortController();

  constructor(nodeName: string, deps: DraDriversDeps) {
    this.#nodeName = nodeName;
    this.#deps = deps;
  }

  /** What is left from before: no driver has registered yet. */
  start(): void {
    this.#wipe('');
  }

  close(): void {
    this.#stop.abort();
    for (const cancel of this.#wipes.values()) cancel();
    for (const driver of [...this.#instances.values()].flat()) driver.close();
  }

  /** Throws an Error when no such driver is here. */
  get(name: string): DraDriver {
    const instances = this.#instances.get(name) ?? [];
    const driver = instances.findLast(({ isConnected }) => isConnected) ?? instances.at(-1);
    if (driver === undefined) throw new Error(`DRA driver ${name} is not registered`);
    return driver;
  }

  async register({ name, endpoint, supportedVersions }: PluginInfo): Promise<void> {
    const service = DRA_SERVICES.find(([version]) => supportedVersions.includes(version));
    if (service === undefined) {
      const problem = `none of ${JSON.stringify(supportedVersions)} is supported, only ${DRA_SERVICES.map(([version]) => version).join(', ')}`;
      throw new Error(
        `invalid supported gRPC versions of DRA driver plugin ${name} at endpoint ${endpoint}: ${problem}`,
      );
    }
    const instances = this.#instances.get(name) ?? [];
    if (instances.some((one) => one.endpoint === endpoint)) {
      throw new Error(`endpoint ${endpoint} already registered for DRA driver plugin ${name}`);
    }
    const driver = new DraDriver(name, endpoint, service[1]);
    this.#instances.set(name, [...instances, driver]);
    driver.follow(() => this.#review(name));
    this.#deps.registered(name);
  }

  deregister({ name, endpoint }: PluginInfo): void {
    const instances = this.#instances.get(name) ?? [];
    for (const one of instances) if (one.endpoint === endpoint) one.close();
    this.#instances.set(
      name,
      instances.filter((one) => one.endpoint !== endpoint),
    );
    this.#review(name);
  }

  #review(name: string): void {
    if (this.#stop.signal.aborted) return;
    const isThere = (this.#instances.get(name) ?? []).some(({ isConnected }) => isConnected);
    if (isThere) {
      this.#wipes.get(name)?.();
      this.#wipes.delete(name);
    } else if (!this.#wipes.has(name)) {
      const cancel = this.#deps.clock.after(WIPE_DELAY_MS, () => {
        this.#wipes.delete(name);
        this.#wipe(name);
      });
      this.#wipes.set(name, cancel);
    }
  }

  /** Removes the node's slices of a driver (''. of all), until the API server has done it. */
  #wipe(driver: string): void {
    const { client, clock, logger } = this.#deps;
    const fieldSelector = `spec.nodeName=${this.#nodeName}${driver === '' ? '' : `,spec.driver=${driver}`}`;
    const backoff = new Backoff(WIPE_RETRY);
    const attempt = async (): Promise<void> => {
      while (!this.#stop.signal.aborted) {
        try {
          await client.deleteCollection(resources.resourceslices, { fieldSelector }, {}, this.#stop.signal);
          return;
        } catch (error) {
          // A server without this API has nothing to remove.
          if (isStatusError(error) && (error.code === 404 || error.code === 405)) return;
          logger.debug({ err: error }, 'resource slices could not be removed; trying again');
          await clock.sleep(backoff.next(), this.#stop.signal);
        }
      }
    };
    void attempt();
  }
}
