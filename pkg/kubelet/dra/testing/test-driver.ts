import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { GrpcServer, parseFacts } from '../../../cri/index.ts';
import { draPluginFacts, pluginRegistrationFacts } from '../plugin-facts.ts';

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
  readonly #registration = new GrpcServer();
  readonly #driver = new GrpcServer();

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
    this.#registration.close();
    this.#driver.close();
  }

  async #serve(info: object, packageVersion: string): Promise<void> {
    const endpoint = join(this.#directory, 'plugins', `${this.name}.sock`);
    const facts = parseFacts(`k8s.io.kubelet.pkg.apis.dra.${packageVersion}`, draPluginFacts);
    const answerEach = (answer: (name: string) => object) => (request: object) => {
      const claims = (request as ClaimsRequest).claims.map(({ uid, name }) => [uid, answer(name)]);
      return { claims: Object.fromEntries(claims) };
    };
    this.#driver.add(
      facts.method('DRAPlugin', 'NodePrepareResources'),
      answerEach((name) => this.#prepared(name)),
    );
    this.#driver.add(
      facts.method('DRAPlugin', 'NodeUnprepareResources'),
      answerEach((name) => {
        this.calls.push(`unprepare ${name}`);
        return {};
      }),
    );
    await this.#driver.listen(endpoint);
    const own = { type: 'DRAPlugin', name: this.name, endpoint, supportedVersions: [`${packageVersion}.DRAPlugin`] };
    const registration = parseFacts('pluginregistration', pluginRegistrationFacts);
    this.#registration.add(registration.method('Registration', 'GetInfo'), () => ({ ...own, ...info }));
    this.#registration.add(registration.method('Registration', 'NotifyRegistrationStatus'), (request) => {
      const { pluginRegistered, error } = request as { pluginRegistered: boolean; error: string };
      this.registrations.push(pluginRegistered ? '' : error);
      return {};
    });
    await this.#registration.listen(this.registrationSocket);
  }

  #prepared(name: string): object {
    this.calls.push(`prepare ${name}`);
    if (this.problem !== '') return { error: this.problem };
    const cdiDeviceIds = this.namesDevices ? [`${this.name}/test=${name}`] : [];
    return { devices: [{ requestNames: ['r'], poolName: 'p', deviceName: 'd', cdiDeviceIds }] };
  }
}
