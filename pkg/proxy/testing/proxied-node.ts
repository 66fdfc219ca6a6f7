import { resources } from '../../api/generated/resources.ts';
import type { EndpointSlice, Service } from '../../api/generated/types.ts';
import { systemClock } from '../../base/clock.ts';
import { type Logger, silentLogger } from '../../base/logger.ts';
import { createInformers } from '../../client/informers.ts';
import { FakeCluster } from '../../client/testing/fake-cluster.ts';
import { createProxy, type ProxyOptions, type ServiceProxy } from '../proxy.ts';
import { TestNetwork } from './namespaces.ts';

export interface ServiceFixture {
  readonly spec?: Readonly<Record<string, unknown>>;
  /** Of the Service; its pods listen on 8080. Default 80. */
  readonly port?: number;
  /** Default TCP. */
  readonly protocol?: string;
  readonly nodePort?: number;
  /** Addresses of its pods; default: it has no EndpointSlice. */
  readonly endpoints?: readonly string[];
}

/** A node made of network namespaces, whose proxy follows a cluster that exists for the test only. */
export class ProxiedNode {
  readonly network = new TestNetwork();
  readonly cluster = new FakeCluster();
  readonly #controller = new AbortController();
  readonly #running: Promise<void>[] = [];
  #proxy: ServiceProxy | undefined;

  get proxy(): ServiceProxy {
    if (this.#proxy === undefined) throw new Error('the proxy has not been started');
    return this.#proxy;
  }

  /** Aborted when the node is closed. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Starts the proxy; resolves when its first table stands. */
  async start(options: Partial<ProxyOptions> = {}, logger: Logger = silentLogger): Promise<void> {
    const deps = { clock: systemClock, logger };
    const informers = createInformers(this.cluster.client, deps);
    const networks = { clusterCIDRs: ['10.42.0.0/16'], serviceCIDRs: ['10.43.0.0/16'] };
    const proxy = createProxy(
      { nodeName: 'node', table: 'kube-lite-test', ...networks, ...options },
      { ...deps, informers, exec: this.network.exec('node'), follow: this.network.follow('node') },
    );
    this.#proxy = proxy;
    this.#running.push(informers.run(this.signal, () => {}));
    await new Promise<void>((resolve, reject) => {
      const run = proxy.run(this.signal, resolve);
      this.#running.push(run);
      run.catch(reject);
    });
  }

  /** The informers have delivered and the kernel has it. */
  async settle(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    await this.proxy.settled();
  }

  async close(): Promise<void> {
    this.#controller.abort();
    await Promise.allSettled(this.#running);
    await this.network.close();
  }

  /** Adds a Service to namespace `a`, and its slice. */
  addService(name: string, clusterIP: string, fixture: ServiceFixture = {}): void {
    const { spec = {}, port = 80, protocol = 'TCP', nodePort, endpoints } = fixture;
    const ports = [{ port, protocol, targetPort: 8080, ...(nodePort === undefined ? {} : { nodePort }) }];
    const type = nodePort === undefined ? 'ClusterIP' : 'NodePort';
    this.cluster.add<Service>(resources.services, {
      metadata: { name, namespace: 'a' },
      spec: { type, clusterIP, clusterIPs: [clusterIP], ports, ...spec },
      status: {},
    });
    if (endpoints === undefined) return;
    this.cluster.add<EndpointSlice>(resources.endpointslices, {
      metadata: { name, namespace: 'a', labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      ports: [{ port: 8080, protocol }],
      endpoints: endpointsAt(endpoints),
    });
  }

  /** Replaces the pods of a Service. */
  async setEndpoints(name: string, addresses: readonly string[]): Promise<void> {
    this.cluster.change<EndpointSlice>(resources.endpointslices, { namespace: 'a', name }, (slice) => {
      slice.endpoints = endpointsAt(addresses);
    });
    await this.settle();
  }
}

function endpointsAt(addresses: readonly string[]) {
  const conditions = { ready: true, serving: true, terminating: false };
  return addresses.map((address) => ({ addresses: [address], nodeName: 'node', conditions }));
}
