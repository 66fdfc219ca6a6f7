import { resources } from '../../../api/generated/resources.ts';
import type { KubeObject, ResourceType } from '../../../api/object.ts';
import { builtinDefinitions } from '../../../api/scheme.ts';
import { FakeClock } from '../../../base/clock.ts';
import { silentLogger } from '../../../base/logger.ts';
import { createMetrics } from '../../../base/metrics.ts';
import type { Client } from '../../../client/client.ts';
import { RestClientMetrics } from '../../../client/index.ts';
import { FakeCluster } from '../../../client/testing/fake-cluster.ts';
import { RBACAuthorizer } from '../../authorization/rbac.ts';
import { FakeReader } from '../../authorization/testing/fake-reader.ts';
import type { AdmissionPlugin } from '../../contract.ts';
import { Definitions } from '../../definitions.ts';
import { resolveService } from '../../services/service-endpoint.ts';
import { WebhookClient } from '../../webhooks/index.ts';
import { admissionPlugins } from '../index.ts';
import { runAdmission, type TestAnswer, type TestRequest } from './admission-request.ts';

export type ResourceName = keyof typeof resources;

/** Parts of objects of any kind. */
// biome-ignore lint/suspicious/noExplicitAny: tests look at parts of objects of any kind.
export type Any = any;

/** All plugins over a namespace `ns` with its default ServiceAccount. */
export class AdmissionHarness {
  readonly reader = new FakeReader();
  readonly clock = new FakeClock();
  readonly cluster = new FakeCluster();
  readonly #plugins: AdmissionPlugin[];

  constructor() {
    const rbac = RBACAuthorizer.watch(this.reader).authorizer;
    this.#plugins = admissionPlugins({
      reader: this.reader,
      clock: this.clock,
      client: this.#visible(this.cluster.client),
      rbac,
      authorizer: rbac,
      logger: silentLogger,
      metrics: createMetrics(),
      webhooks: new WebhookClient({
        clock: this.clock,
        requests: new RestClientMetrics(createMetrics()),
        resolve: (service) => resolveService(this.reader, service),
      }),
      definitions: new Definitions(builtinDefinitions()),
      resourceOf: (apiVersion, kind) =>
        (Object.values(resources) as ResourceType[]).find(
          (type) => type.kind === kind && apiVersion.endsWith(type.version),
        ),
    });
    this.put('namespaces', { metadata: { name: 'ns' } });
    this.put('serviceaccounts', { metadata: { namespace: 'ns', name: 'default' } });
  }

  put(name: ResourceName, object: object): void {
    this.reader.put(typeOf(name), object as KubeObject);
  }

  run(name: ResourceName, object: object | undefined, more: Partial<TestRequest> = {}): Promise<TestAnswer> {
    return runAdmission(this.#plugins, { type: typeOf(name), ...(object === undefined ? {} : { object }), ...more });
  }

  /** The pod `p` as it is admitted. */
  async admitted(spec: object = {}, metadata: object = {}): Promise<Any> {
    return (await this.run('pods', pod(spec, metadata), { name: 'p' })).object;
  }

  /** What the client writes is seen by the reader, as it is in the API server. */
  #visible(client: Client): Client {
    const { reader } = this;
    return Object.assign(Object.create(client) as Client, {
      async updateStatus(...[type, object]: Parameters<Client['updateStatus']>) {
        const stored = await client.updateStatus(type, object);
        reader.put(type, stored as KubeObject);
        return stored;
      },
    });
  }
}

export function typeOf(name: ResourceName): ResourceType<never> {
  return resources[name] as ResourceType<never>;
}

export function pod(spec: object = {}, metadata: object = {}): object {
  return {
    metadata: { name: 'p', ...metadata },
    spec: { containers: [{ name: 'main', image: 'app' }], ...spec },
  };
}
