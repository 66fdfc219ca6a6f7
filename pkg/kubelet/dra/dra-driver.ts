import { GrpcConnection, parseFacts } from '../../cri/index.ts';
import { draPluginFacts } from './plugin-facts.ts';

/** A claim as drivers are told of it. */
export interface DriverClaim {
  readonly namespace: string;
  readonly uid: string;
  readonly name: string;
}

/** A device that a driver has made ready. */
export interface PreparedDevice {
  /** Empty: for all requests of the claim. */
  readonly requestNames: readonly string[];
  readonly poolName: string;
  readonly deviceName: string;
  /** How the runtime knows it. */
  readonly cdiDeviceIds: readonly string[];
  readonly shareId: string;
}

interface Answers<T> {
  readonly claims: Readonly<Record<string, T & { readonly error: string }>>;
}

/** Services by which drivers register, the preferred one first, with the protobuf package of each. */
export const DRA_SERVICES: readonly (readonly [service: string, packageName: string])[] = [
  ['v1.DRAPlugin', 'k8s.io.kubelet.pkg.apis.dra.v1'],
  ['v1beta1.DRAPlugin', 'k8s.io.kubelet.pkg.apis.dra.v1beta1'],
];

/** Upstream's limit. */
const CALL_TIMEOUT_MS = 45_000;

/** One instance of a driver of devices on this node. Its methods throw an Error that names what the driver refuses. */
export class DraDriver {
  readonly name: string;
  readonly endpoint: string;
  isConnected = false;
  readonly #connection: GrpcConnection;
  readonly #packageName: string;

  constructor(name: string, endpoint: string, packageName: string) {
    this.name = name;
    this.endpoint = endpoint;
    this.#packageName = packageName;
    this.#connection = new GrpcConnection(`unix://${endpoint}`);
  }

  /** Keeps the connection open; hears when that changes. */
  follow(changed: () => void): void {
    this.#connection.follow((isConnected) => {
      this.isConnected = isConnected;
      changed();
    });
  }

  /** Makes the devices of claims ready for containers; by the claim's uid. */
  async prepare(claims: readonly DriverClaim[]): Promise<ReadonlyMap<string, readonly PreparedDevice[]>> {
    const answers = await this.#call<{ devices: PreparedDevice[] }>('NodePrepareResources', claims);
    return new Map(Object.entries(answers).map(([uid, { devices }]) => [uid, devices]));
  }

  async unprepare(claims: readonly DriverClaim[]): Promise<void> {
    await this.#call('NodeUnprepareResources', claims);
  }

  close(): void {
    this.#connection.close();
  }

  async #call<T>(name: string, claims: readonly DriverClaim[]): Promise<Answers<T>['claims']> {
    const method = parseFacts(this.#packageName, draPluginFacts).method('DRAPlugin', name);
    let answer: Answers<T>;
    try {
      answer = (await this.#connection.unary(method, { claims }, { timeoutMs: CALL_TIMEOUT_MS })) as Answers<T>;
    } catch (error) {
      // Its cause says the same again.
      throw new Error(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
    for (const [uid, { error }] of Object.entries(answer.claims)) {
      const asked = claims.find((claim) => claim.uid === uid);
      if (asked === undefined) throw new Error(`${name} returned result for unknown claim UID ${uid}`);
      if (error !== '') throw new Error(`${name} failed for ResourceClaim ${asked.name}: ${error}`);
    }
    const missing = claims.length - Object.keys(answer.claims).length;
    if (missing !== 0) throw new Error(`${name} skipped ${missing} ResourceClaims`);
    return answer.claims;
  }
}
