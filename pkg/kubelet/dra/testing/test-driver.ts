import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Server, ServerCredentials, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { parseFacts } from '../../../cri/index.ts';
import { draPluginFacts, pluginRegistrationFacts } from '../plugin-facts.ts';

type Answer = (error: null, value: object) => void;
interface Call<T> {
  readonly request: T;
}
interface ClaimsRequest {
  readonly claims: readonly { readonly namespace: string; readonly name: string; readonly uid: string }[];
}

/**
 * A driver of devices for tests, over real sockets: it registers in a directory of plugins, gives each claim one device with the
 * CDI name `DRIVER/test=CLAIM`, and notes what it is asked for.
 */
export class TestDriver {
  readonly name: string;
  /** `prepare NAME` and `unprepare NAME`, in order. */
  readonly calls: string[] = [];
  /** What the kubelet said to the registration: '' is a success. */
  readonly registrations: string[] = [];
  /** What preparing fails with; '': it does not. */
  problem = '';
  /** Whether the runtime is told of devices; it must know their names then. */
  namesDevices = true;
  readonly #directory: string;
  readonly #registration = new Server();
  readonly #driver = new Server();

  private constructor(name: string, directory: string) {
    this.name = name;
    this.#directory = directory;
  }

  /** `directory` is that of the kubelet: the one that holds `plugins_registry`. */
  static async start(name: string, directory: string, info: object = {}, packageVersion = 'v1'): Promise<TestDriver> {
    const driver = new TestDriver(name, directory);
    await driver.#serve(info, packageVersion);
    return driver;
  }

  get registrationSocket(): string {
    return join(this.#directory, 'plugins_registry', `${this.name}-reg.sock`);
  }

  /** Takes the registration back, and goes. */
  async stop(): Promise<void> {
    await rm(this.registrationSocket, { force: true });
    this.kill();
  }

  /** Goes without a word: its registration stays. */
  kill(): void {
    this.#registration.forceShutdown();
    this.#driver.forceShutdown();
  }

  async #serve(info: object, packageVersion: string): Promise<void> {
    const endpoint = join(this.#directory, 'plugins', `${this.name}.sock`);
    await mkdir(join(this.#directory, 'plugins'), { recursive: true });
    await mkdir(join(this.#directory, 'plugins_registry'), { recursive: true });
    const packageName = `k8s.io.kubelet.pkg.apis.dra.${packageVersion}`;
    await serve(this.#driver, endpoint, packageName, draPluginFacts, 'DRAPlugin', {
      NodePrepareResources: ({ request }: Call<ClaimsRequest>, answer: Answer) => {
        const claims = request.claims.map(({ uid, name }) => [uid, this.#prepared(name)]);
        answer(null, { claims: Object.fromEntries(claims) });
      },
      NodeUnprepareResources: ({ request }: Call<ClaimsRequest>, answer: Answer) => {
        for (const { name } of request.claims) this.calls.push(`unprepare ${name}`);
        answer(null, { claims: Object.fromEntries(request.claims.map(({ uid }) => [uid, {}])) });
      },
    });
    const own = { type: 'DRAPlugin', name: this.name, endpoint, supportedVersions: [`${packageVersion}.DRAPlugin`] };
    await serve(
      this.#registration,
      this.registrationSocket,
      'pluginregistration',
      pluginRegistrationFacts,
      'Registration',
      {
        GetInfo: (_call: unknown, answer: Answer) => answer(null, { ...own, ...info }),
        NotifyRegistrationStatus: ({ request }: Call<{ pluginRegistered: boolean; error: string }>, answer: Answer) => {
          this.registrations.push(request.pluginRegistered ? '' : request.error);
          answer(null, {});
        },
      },
    );
  }

  #prepared(name: string): object {
    this.calls.push(`prepare ${name}`);
    if (this.problem !== '') return { error: this.problem };
    const cdiDeviceIds = this.namesDevices ? [`${this.name}/test=${name}`] : [];
    return { devices: [{ requestNames: ['r'], poolName: 'p', deviceName: 'd', cdiDeviceIds }] };
  }
}

async function serve(
  server: Server,
  path: string,
  packageName: string,
  facts: string,
  service: string,
  answers: UntypedServiceImplementation,
): Promise<void> {
  const descriptor = parseFacts(packageName, facts);
  const definition = Object.fromEntries(
    Object.keys(answers).map((name) => {
      const { path: method, request, response } = descriptor.method(service, name);
      return [
        name,
        {
          path: method,
          requestStream: false,
          responseStream: false,
          requestSerialize: (value: object) => Buffer.from(request.encode(request.fromObject(value)).finish()),
          requestDeserialize: (bytes: Buffer) =>
            request.toObject(request.decode(bytes), { arrays: true, defaults: true }),
          responseSerialize: (value: object) => Buffer.from(response.encode(response.fromObject(value)).finish()),
          responseDeserialize: (bytes: Buffer) => response.toObject(response.decode(bytes)),
        },
      ];
    }),
  );
  server.addService(definition, answers);
  await rm(path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix:${path}`, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    );
  });
}
