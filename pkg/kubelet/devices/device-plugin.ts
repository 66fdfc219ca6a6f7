import { GrpcConnection, parseFacts } from '../../cri/index.ts';
import { devicePluginFacts } from './plugin-facts.ts';

export interface Device {
  readonly id: string;
  readonly health: string;
  /** The NUMA nodes that it is near to; absent: none in particular. */
  readonly topology: { readonly nodes: readonly { readonly id: number }[] } | null;
}

/** What a container gets with its devices. */
export interface ContainerAllocation {
  readonly envs: Readonly<Record<string, string>>;
  readonly mounts: readonly { readonly containerPath: string; readonly hostPath: string; readonly readOnly: boolean }[];
  readonly devices: readonly {
    readonly containerPath: string;
    readonly hostPath: string;
    readonly permissions: string;
  }[];
  readonly annotations: Readonly<Record<string, string>>;
  readonly cdiDevices: readonly { readonly name: string }[];
}

export interface DevicePluginOptions {
  readonly preStartRequired: boolean;
  readonly getPreferredAllocationAvailable: boolean;
}

/** Upstream's limits. */
const CALL_TIMEOUT_MS = 10_000;
const PRE_START_TIMEOUT_MS = 30_000;

/** A device plugin's endpoint. All methods throw CriError for what the plugin refuses. */
export class DevicePlugin {
  readonly resourceName: string;
  readonly options: DevicePluginOptions;
  readonly #connection: GrpcConnection;
  readonly #facts = parseFacts('v1beta1', devicePluginFacts);

  constructor(resourceName: string, socketPath: string, options: DevicePluginOptions) {
    this.resourceName = resourceName;
    this.options = options;
    this.#connection = new GrpcConnection(`unix://${socketPath}`);
  }

  /** What a plugin that did not say so when it registered can do. */
  static async at(resourceName: string, socketPath: string): Promise<DevicePlugin> {
    const none = { preStartRequired: false, getPreferredAllocationAvailable: false };
    const plugin = new DevicePlugin(resourceName, socketPath, none);
    try {
      return new DevicePlugin(resourceName, socketPath, await plugin.#call('GetDevicePluginOptions', {}));
    } finally {
      plugin.close();
    }
  }

  /** All devices of the plugin, each time that one of them changes; ends when the plugin does. */
  async *devices(signal: AbortSignal): AsyncIterable<readonly Device[]> {
    const method = this.#facts.method('DevicePlugin', 'ListAndWatch');
    for await (const answer of this.#connection.stream(method, {}, signal)) {
      yield (answer as { devices: Device[] }).devices;
    }
  }

  /** Which of the available ones the plugin would take, `included` among them; empty: it does not mind. */
  async preferred(available: readonly string[], included: readonly string[], size: number): Promise<readonly string[]> {
    if (!this.options.getPreferredAllocationAvailable) return [];
    const request = { availableDeviceIds: available, mustIncludeDeviceIds: included, allocationSize: size };
    const answer = await this.#call<{ containerResponses: { deviceIds: string[] }[] }>('GetPreferredAllocation', {
      containerRequests: [request],
    });
    return answer.containerResponses[0]?.deviceIds ?? [];
  }

  async allocate(ids: readonly string[]): Promise<ContainerAllocation> {
    const answer = await this.#call<{ containerResponses: ContainerAllocation[] }>('Allocate', {
      containerRequests: [{ devicesIds: ids }],
    });
    const [allocation] = answer.containerResponses;
    if (allocation === undefined) throw new Error(`no containers in return allocation response`);
    return allocation;
  }

  /** Tells the plugin that a container with these devices is about to start, if it wants to know. */
  async preStart(ids: readonly string[]): Promise<void> {
    if (!this.options.preStartRequired) return;
    await this.#call('PreStartContainer', { devicesIds: ids }, PRE_START_TIMEOUT_MS);
  }

  close(): void {
    this.#connection.close();
  }

  async #call<T>(name: string, request: object, timeoutMs = CALL_TIMEOUT_MS): Promise<T> {
    const method = this.#facts.method('DevicePlugin', name);
    return (await this.#connection.unary(method, request, { timeoutMs })) as T;
  }
}
