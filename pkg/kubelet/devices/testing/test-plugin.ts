import { join } from 'node:path';
import { Server, ServerCredentials, type ServerWritableStream, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { GrpcConnection, parseFacts } from '../../../cri/index.ts';
import type { DevicePluginOptions } from '../device-plugin.ts';
import { devicePluginFacts } from '../plugin-facts.ts';

type Answer = (error: null, value: object) => void;
interface Call<T> {
  readonly request: T;
}

const METHODS = ['GetDevicePluginOptions', 'ListAndWatch', 'GetPreferredAllocation', 'Allocate', 'PreStartContainer'];

/** A device plugin for tests, over a real socket: it prefers the last devices, and notes what it is asked for. */
export class TestPlugin {
  readonly allocated: (readonly string[])[] = [];
  readonly preStarted: (readonly string[])[] = [];
  readonly #server = new Server();
  readonly #facts = parseFacts('v1beta1', devicePluginFacts);
  readonly #directory: string;
  readonly #endpoint: string;
  readonly #options: DevicePluginOptions;
  readonly #watchers = new Set<ServerWritableStream<object, object>>();
  #devices: { id: string; health: string }[] = [];

  private constructor(directory: string, endpoint: string, options: DevicePluginOptions) {
    this.#directory = directory;
    this.#endpoint = endpoint;
    this.#options = options;
  }

  static async start(directory: string, endpoint: string, options: DevicePluginOptions): Promise<TestPlugin> {
    const plugin = new TestPlugin(directory, endpoint, options);
    await plugin.#serve();
    return plugin;
  }

  /** Sends all devices, by id and health, to whoever watches; those of `nodes` are near to these NUMA nodes. */
  tell(devices: Readonly<Record<string, string>>, nodes: Readonly<Record<string, readonly number[]>> = {}): void {
    this.#devices = Object.entries(devices).map(([id, health]) => ({
      id,
      health,
      ...(nodes[id] === undefined ? {} : { topology: { nodes: nodes[id].map((node) => ({ id: node })) } }),
    }));
    for (const watcher of this.#watchers) watcher.write({ devices: this.#devices });
  }

  /** Throws the kubelet's refusal. */
  async register(resourceName: string, changes: object = {}): Promise<void> {
    const connection = new GrpcConnection(join(this.#directory, 'kubelet.sock'));
    const request = { version: 'v1beta1', endpoint: this.#endpoint, resourceName, options: this.#options, ...changes };
    try {
      await connection.unary(this.#facts.method('Registration', 'Register'), request);
    } finally {
      connection.close();
    }
  }

  stop(): void {
    this.#server.forceShutdown();
  }

  async #serve(): Promise<void> {
    const definition = Object.fromEntries(
      METHODS.map((name) => {
        const { path, request, response, streaming } = this.#facts.method('DevicePlugin', name);
        return [
          name,
          {
            path,
            requestStream: false,
            responseStream: streaming,
            requestSerialize: (value: object) => Buffer.from(request.encode(request.fromObject(value)).finish()),
            requestDeserialize: (bytes: Buffer) =>
              request.toObject(request.decode(bytes), { arrays: true, defaults: true }),
            responseSerialize: (value: object) => Buffer.from(response.encode(response.fromObject(value)).finish()),
            responseDeserialize: (bytes: Buffer) => response.toObject(response.decode(bytes)),
          },
        ];
      }),
    );
    this.#server.addService(definition, this.#answers());
    const path = `unix:${join(this.#directory, this.#endpoint)}`;
    await new Promise<void>((resolve, reject) => {
      this.#server.bindAsync(path, ServerCredentials.createInsecure(), (error) =>
        error === null ? resolve() : reject(error),
      );
    });
  }

  #answers(): UntypedServiceImplementation {
    return {
      GetDevicePluginOptions: (_call: unknown, answer: Answer) => answer(null, this.#options),
      ListAndWatch: (call: ServerWritableStream<object, object>) => {
        this.#watchers.add(call);
        call.once('close', () => this.#watchers.delete(call));
        call.write({ devices: this.#devices });
      },
      GetPreferredAllocation: (
        { request }: Call<{ containerRequests: { availableDeviceIds: string[]; allocationSize: number }[] }>,
        answer: Answer,
      ) => {
        const containerResponses = request.containerRequests.map(({ availableDeviceIds, allocationSize }) => ({
          deviceIds: availableDeviceIds.slice(-allocationSize),
        }));
        answer(null, { containerResponses });
      },
      Allocate: ({ request }: Call<{ containerRequests: { devicesIds: string[] }[] }>, answer: Answer) => {
        const containerResponses = request.containerRequests.map(({ devicesIds }) => {
          this.allocated.push(devicesIds);
          return {
            envs: { DEVICES: devicesIds.join(',') },
            mounts: [{ containerPath: '/lib/gpu', hostPath: '/lib', readOnly: true }],
            devices: devicesIds.map((id) => ({
              containerPath: `/dev/${id}`,
              hostPath: '/dev/null',
              permissions: 'rw',
            })),
          };
        });
        answer(null, { containerResponses });
      },
      PreStartContainer: ({ request }: Call<{ devicesIds: string[] }>, answer: Answer) => {
        this.preStarted.push(request.devicesIds);
        answer(null, {});
      },
    };
  }
}
