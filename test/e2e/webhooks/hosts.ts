/** A custom resource of two versions: v1 has `hostPort`, v2 has `host` and `port`. */
const SCHEMA = {
  openAPIV3Schema: {
    type: 'object',
    properties: {
      hostPort: { type: 'string' },
      host: { type: 'string' },
      port: { type: 'string' },
      data: {
        type: 'object',
        properties: {
          'mutation-start': { type: 'string' },
          'mutation-stage-1': { type: 'string' },
          'webhook-e2e-test': { type: 'string' },
        },
      },
    },
  },
};

/**
 * The definition of hosts.example.com, stored in the version `storage`; converted by the webhook of `clientConfig`, or, without one,
 * by another apiVersion only.
 */
export function hosts(storage: string, clientConfig?: object): { metadata: object; spec: object } {
  const version = (name: string): object => ({ name, served: true, storage: name === storage, schema: SCHEMA });
  return {
    metadata: { name: 'hosts.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'hosts', singular: 'host', kind: 'Host' },
      versions: [version('v1'), version('v2')],
      ...(clientConfig === undefined
        ? {}
        : { conversion: { strategy: 'Webhook', webhook: { conversionReviewVersions: ['v1'], clientConfig } } }),
    },
  };
}
