import { describe, expect, test } from 'vitest';
import type { ObjectReader } from '../contract.ts';
import { checkObjects, PASSED, withAvailability } from './availability.ts';

const slice = (endpoints: object[], ports: object[]) => ({
  metadata: { labels: { 'kubernetes.io/service-name': 'api' } },
  endpoints,
  ports,
});
const clusterIP = { spec: { type: 'ClusterIP', ports: [{ name: 'tls', port: 443 }] } };
const tls = [{ name: 'tls', port: 8443 }];

function check(service: object | undefined, slices: object[], port = 443): string | undefined {
  const reader = { get: () => service, list: () => slices } as unknown as ObjectReader;
  const found = checkObjects({ namespace: 'ns', name: 'api', port }, reader);
  return found && `${found.status} ${found.reason}: ${found.message}`;
}

describe('an aggregated server', () => {
  test.each([
    ['without Service', undefined, [], 'False ServiceNotFound: service/api in "ns" is not present'],
    ['without endpoints', clusterIP, [], 'False EndpointsNotFound: cannot find endpointslices for service/api in "ns"'],
    [
      'without a ready endpoint',
      clusterIP,
      [slice([{ conditions: { ready: false } }], tls)],
      'False MissingEndpoints: endpointslices for service/api in "ns" have no addresses with port name "tls"',
    ],
    [
      'without its port',
      clusterIP,
      [slice([{}], [{ name: 'other', port: 1 }])],
      'False MissingEndpoints: endpointslices for service/api in "ns" have no addresses with port name "tls"',
    ],
    ['with a ready endpoint', clusterIP, [slice([{ conditions: {} }], tls)], undefined],
    ['elsewhere', { spec: { type: 'ExternalName' } }, [], undefined],
  ])('%s', (_name, service, slices, expected) => {
    expect(check(service, slices)).toBe(expected);
  });

  test('on a port that its Service does not have', () => {
    const expected = 'False ServicePortError: service/api in "ns" is not listening on port 80';
    expect(check(clusterIP, [], 80)).toBe(expected);
  });
});

test('the condition keeps its time while its status stays', () => {
  const first = withAvailability([], PASSED, Date.UTC(2026, 0, 1));
  expect(first).toEqual([{ type: 'Available', ...PASSED, lastTransitionTime: '2026-01-01T00:00:00Z' }]);
  const later = Date.UTC(2026, 0, 2);
  expect(withAvailability(first ?? [], PASSED, later)).toBeUndefined();
  const local = { ...PASSED, reason: 'Local' };
  expect(withAvailability(first ?? [], local, later)?.[0]).toMatchObject({
    reason: 'Local',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  });
  expect(withAvailability(first ?? [], { ...PASSED, status: 'False' }, later)?.[0]).toMatchObject({
    status: 'False',
    lastTransitionTime: '2026-01-02T00:00:00Z',
  });
});
