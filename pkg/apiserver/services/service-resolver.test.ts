import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../api/object.ts';
import type { ObjectReader } from '../contract.ts';
import { ServiceResolver, type ServiceResolverOptions } from './service-resolver.ts';

const objects: Record<string, readonly unknown[]> = {
  services: [
    service('hook', {
      clusterIP: '10.43.0.7',
      ports: [
        { name: 'tls', port: 443 },
        { name: 'other', port: 8443 },
      ],
    }),
    service('headless', { clusterIP: 'None', ports: [{ port: 443 }] }),
    service('away', { type: 'ExternalName', externalName: 'hook.example.com' }),
  ],
  endpointslices: [
    {
      metadata: { namespace: 'ops', name: 'hook-1', labels: { 'kubernetes.io/service-name': 'hook' } },
      ports: [{ name: 'tls', port: 9443 }],
      endpoints: [
        { addresses: ['10.42.0.5'], conditions: { ready: false } },
        { addresses: ['10.42.0.6'], conditions: { ready: true } },
        { addresses: ['10.42.0.7'] },
      ],
    },
  ],
};

function service(name: string, spec: object): unknown {
  return { metadata: { namespace: 'ops', name }, spec };
}

const reader = {
  get: (type: { resource: string }, key: { name: string; namespace?: string }) =>
    objects[type.resource]?.find((one) => {
      const { metadata } = one as KubeObject;
      return metadata?.name === key.name && metadata.namespace === key.namespace;
    }),
  list: (type: { resource: string }) => objects[type.resource] ?? [],
} as unknown as ObjectReader;

function resolve(route: ServiceResolverOptions['route'], name: string, port: number, random = 0): string {
  const ownAddress = () => ({ host: '127.0.0.1', port: 6443 });
  const resolver = new ServiceResolver({ route }, { reader, ownAddress, random: () => random });
  const namespace = name === 'kubernetes' ? 'default' : 'ops';
  const address = resolver.resolve({ namespace, name, port });
  return `${address.host}:${address.port}`;
}

describe('the address of a Service', () => {
  test.each([
    ['clusterIP', 'hook', 443, 0, '10.43.0.7:443'],
    ['endpoint', 'hook', 443, 0, '10.42.0.6:9443'],
    ['endpoint', 'hook', 443, 0.99, '10.42.0.7:9443'],
    ['clusterIP', 'away', 443, 0, 'hook.example.com:443'],
    ['endpoint', 'kubernetes', 443, 0, '127.0.0.1:6443'],
  ] as const)('by %s of %s:%i', (route, name, port, random, expected) => {
    expect(resolve(route, name, port, random)).toBe(expected);
  });

  test.each([
    ['clusterIP', 'nobody', 443, 'services "nobody" not found'],
    ['clusterIP', 'hook', 80, 'no service port 80 found for service "hook"'],
    ['clusterIP', 'headless', 443, 'cannot route to service with ClusterIP "None"'],
    ['endpoint', 'hook', 8443, 'no endpoints available for service "hook"'],
  ] as const)('by %s of %s:%i is refused', (route, name, port, message) => {
    expect(() => resolve(route, name, port)).toThrow(message);
  });
});
