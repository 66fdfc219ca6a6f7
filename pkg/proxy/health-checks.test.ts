import { afterEach, expect, test } from 'vitest';
import type { EndpointSlice, Service } from '../api/generated/types.ts';
import { silentLogger } from '../base/logger.ts';
import { freePort } from '../base/testing/free-port.ts';
import { HealthChecks, healthCheckOf } from './health-checks.ts';

const node = { nodeName: 'here', zone: '', isTerminating: () => false };

function service(spec: object): Service {
  return {
    metadata: { namespace: 'a', name: 'web' },
    spec: {
      type: 'LoadBalancer',
      externalTrafficPolicy: 'Local',
      healthCheckNodePort: 30099,
      ports: [
        { name: 'a', port: 80 },
        { name: 'b', port: 81 },
      ],
      ...spec,
    },
  } as Service;
}

const slice = {
  addressType: 'IPv4',
  ports: [
    { name: 'a', port: 8080 },
    { name: 'b', port: 8081 },
  ],
  endpoints: [
    { addresses: ['10.42.0.2'], nodeName: 'here' },
    { addresses: ['10.42.0.3'], nodeName: 'here', conditions: { ready: false } },
    { addresses: ['10.42.0.4'], nodeName: 'here', conditions: { ready: false, serving: true, terminating: true } },
    { addresses: ['10.42.1.2'], nodeName: 'there' },
  ],
} as unknown as EndpointSlice;

test.each<[string, object, number | undefined]>([
  ['Local', {}, 1],
  ['Cluster', { externalTrafficPolicy: 'Cluster' }, undefined],
  ['no load balancer', { type: 'NodePort' }, undefined],
  ['without a port', { healthCheckNodePort: undefined }, undefined],
])('ready backends of this node count once: %s', (_, spec, count) => {
  expect(healthCheckOf(service(spec), [slice], node)?.localEndpoints).toBe(count);
});

const checks = new HealthChecks(silentLogger);
afterEach(() => checks.close());

test('answers as long as the Service wants it, with what holds at the moment', async () => {
  const port = await freePort();
  const check = { namespace: 'a', name: 'web', port };
  checks.set('a/web', { ...check, localEndpoints: 2 });
  const good = await fetch(`http://127.0.0.1:${port}/anything`);
  expect([good.status, good.headers.get('x-load-balancing-endpoint-weight'), await good.json()]).toEqual([
    200,
    '2',
    { service: { namespace: 'a', name: 'web' }, localEndpoints: 2, serviceProxyHealthy: true },
  ]);
  checks.set('a/web', { ...check, localEndpoints: 0 });
  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(503);
  checks.set('a/web', undefined);
  await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
});
