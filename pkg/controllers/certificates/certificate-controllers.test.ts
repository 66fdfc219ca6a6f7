import { expect, test } from 'vitest';
import { resources } from '../../api/generated/resources.ts';
import { startControllers } from '../testing.ts';
import { newCertificateControllers } from './certificate-controllers.ts';
import {
  CLIENT_SIGNER,
  isOwnServing,
  KUBELET_CLIENT_SIGNER,
  KUBELET_SERVING_SIGNER,
  refusal,
} from './kubelet-requests.ts';

const node = {
  commonName: 'system:node:a',
  organizations: ['system:nodes'],
  dnsNames: [],
  ipAddresses: [],
  emailAddresses: [],
  uris: [],
};

test.each([
  [KUBELET_CLIENT_SIGNER, {}, ['client auth', 'digital signature'], undefined],
  [KUBELET_CLIENT_SIGNER, {}, ['client auth', 'server auth'], /^usages/],
  [
    KUBELET_CLIENT_SIGNER,
    { organizations: ['system:nodes', 'system:masters'] },
    ['client auth'],
    /^subject organization/,
  ],
  [KUBELET_CLIENT_SIGNER, { commonName: 'admin' }, ['client auth'], /^subject common name/],
  [KUBELET_CLIENT_SIGNER, { dnsNames: ['a'] }, ['client auth'], /^DNS subjectAltNames/],
  [KUBELET_SERVING_SIGNER, {}, ['server auth'], /^DNS or IP/],
  [KUBELET_SERVING_SIGNER, { ipAddresses: ['10.0.0.1'] }, ['server auth', 'digital signature'], undefined],
  [
    KUBELET_SERVING_SIGNER,
    { ipAddresses: ['10.0.0.1'] },
    ['server auth'],
    /^usages did not match \[digital signature key encipherment server auth\]$/,
  ],
  [
    KUBELET_CLIENT_SIGNER,
    {},
    ['digital signature', 'key encipherment'],
    /^usages did not match \[client auth digital signature key encipherment\]$/,
  ],
  [CLIENT_SIGNER, {}, ['client auth'], undefined],
  [CLIENT_SIGNER, {}, ['client auth', 'server auth'], /^invalid usage for client certificate: server auth$/],
  [CLIENT_SIGNER, {}, ['digital signature'], /^missing required usage for client certificate: client auth$/],
])('%s signs %j %j: %s', (signer, change, usages, expected) => {
  const problem = refusal(signer, { ...node, ...change }, usages);
  if (expected === undefined) expect(problem).toBeUndefined();
  else expect(problem).toMatch(expected);
});

test.each([
  ['its own name', 'a', ['a'], true],
  ['the name of another node', 'a', ['b'], false],
  ['its own name for another node', 'b', ['a'], false],
])('a node may serve under %s: %s', (_, asking, dnsNames, expected) => {
  const request = { spec: { username: `system:node:${asking}`, groups: ['system:nodes'] } } as never;
  expect(isOwnServing(request, { ...node, dnsNames })).toBe(expected);
});

test.each([
  ['that runs', true, /^Denied 10\.0\.0\.2 is the address of node b, which is running$/],
  ['that was this machine before', false, /^Approved/],
])('a node that asks for the address of another one %s', async (_, isRunning, expected) => {
  const wanted = { ...node, dnsNames: ['a'], ipAddresses: ['10.0.0.2'] };
  const signer = { inspect: async () => wanted, sign: async () => '' };
  const { cluster, clock, stop } = startControllers((deps) => newCertificateControllers({ ...deps, signer }));
  const lease = { namespace: 'kube-node-lease', name: 'b' };
  cluster.add(resources.nodes, {
    metadata: { name: 'b' },
    status: { addresses: [{ type: 'InternalIP', address: '10.0.0.2' }] },
  });
  cluster.add(resources.leases, { metadata: lease, spec: { renewTime: '2026-01-01T00:00:00.000000Z' } });
  const usages = ['digital signature', 'server auth'];
  const spec = { request: '', signerName: KUBELET_SERVING_SIGNER, usages, username: 'system:node:a' };
  cluster.add(resources.certificatesigningrequests, {
    metadata: { name: 'a' },
    spec: { ...spec, groups: ['system:nodes'] },
  });
  const decision = (): string =>
    (cluster.get(resources.certificatesigningrequests, { name: 'a' })?.status?.conditions ?? [])
      .map(({ type, message }) => `${type} ${message}`)
      .join();
  await clock.advance(10_000);
  expect(decision()).toBe('');
  if (isRunning)
    cluster.change(resources.leases, lease, (object) => {
      object.spec = { renewTime: '2026-01-01T00:00:10.000000Z' };
    });
  await clock.advance(12_000);
  expect(decision()).toMatch(expected);
  await stop();
});

test('approved requests are signed or refused with a reason, old ones deleted', async () => {
  const signer = { inspect: async () => node, sign: async (name: string) => `signed by ${name}` };
  const { cluster, clock, stop } = startControllers((deps) => newCertificateControllers({ ...deps, signer }));
  const add = (name: string, usages: string[], approved: boolean) =>
    cluster.add(resources.certificatesigningrequests, {
      metadata: { name },
      spec: { request: '', signerName: 'kubernetes.io/kube-apiserver-client', usages },
      status: approved
        ? { conditions: [{ type: 'Approved', status: 'True', lastUpdateTime: '2026-01-01T00:00:00Z' }] }
        : {},
    });
  add('good', ['client auth'], true);
  add('bad', ['server auth'], true);
  add('waiting', ['client auth'], false);
  await clock.advance(10);
  const status = (name: string) => cluster.get(resources.certificatesigningrequests, { name })?.status;
  expect(Buffer.from(status('good')?.certificate ?? '', 'base64').toString()).toBe(
    'signed by kubernetes.io/kube-apiserver-client',
  );
  expect(status('bad')?.conditions?.[1]).toMatchObject({ type: 'Failed', reason: 'SignerValidationFailure' });
  expect(status('waiting')).toEqual({});
  const left = () => cluster.list(resources.certificatesigningrequests).map(({ metadata }) => metadata.name);
  await clock.advance(3_601_000);
  expect(left()).toEqual(['waiting']);
  await clock.advance(24 * 3_600_000);
  expect(left()).toEqual([]);
  await stop();
});
