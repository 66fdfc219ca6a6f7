import { expect, test } from 'vitest';
import type { ReadPod } from '../pod-status.ts';
import {
  claimFor,
  claimNames,
  FINALIZER,
  generateName,
  ownerUIDs,
  type ReadClaim,
  statusFor,
  wantedTemplates,
} from './claim-plan.ts';

const owner = { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u', controller: true };

function claim(status: object, metadata: object = {}): ReadClaim {
  const annotations = { 'resource.kubernetes.io/pod-claim-name': 'gpu' };
  return {
    metadata: { namespace: 'n', name: 'c', annotations, ...metadata },
    spec: {},
    status,
  } as unknown as ReadClaim;
}

test('what is to be made, and what has been', () => {
  const resourceClaims = [
    { name: 'new', resourceClaimTemplateName: 't' },
    { name: 'own', resourceClaimName: 'own' },
    { name: 'made', resourceClaimTemplateName: 't' },
    { name: 'gone', resourceClaimTemplateName: 't' },
    { name: 'taken', resourceClaimTemplateName: 't' },
    { name: 'needless', resourceClaimTemplateName: 't' },
  ];
  const resourceClaimStatuses = [
    { name: 'made', resourceClaimName: 'made-x' },
    { name: 'gone', resourceClaimName: 'gone-x' },
    { name: 'taken', resourceClaimName: 'taken-x' },
    { name: 'needless' },
  ];
  const pod = {
    metadata: { uid: 'u' },
    spec: { resourceClaims },
    status: { resourceClaimStatuses, extendedResourceClaimStatus: { resourceClaimName: 'extended' } },
  } as unknown as ReadPod;
  const known: Record<string, ReadClaim> = { 'made-x': claim({}, { ownerReferences: [owner] }), 'taken-x': claim({}) };
  expect(wantedTemplates(pod, (name) => known[name]).map(({ name }) => name)).toEqual(['new', 'gone', 'taken']);
  expect(claimNames(pod)).toEqual(['own', 'made-x', 'gone-x', 'taken-x', 'extended']);
  expect(ownerUIDs(claim({}, { ownerReferences: [owner] }))).toEqual(['u']);
  expect(claimFor('gpu', [claim({})])?.metadata.name).toBe('c');
  expect(claimFor('other', [claim({})])).toBeUndefined();
});

test.each([
  ['p', 'gpu', 'p-gpu-'],
  ['p'.repeat(50), 'gpu-claim', `${'p'.repeat(46)}-gpu-clai`],
])('the name of a claim: %s, %s', (pod, name, expected) => {
  expect(generateName(pod, name)).toBe(expected);
});

const pod = (name: string) => ({ resource: 'pods', name, uid: `uid-of-${name}` });
const allocation = { devices: {} };
const devices = [{ driver: 'd', pool: 'p', device: 'x' }];
const finalizers = [FINALIZER];
const deletionTimestamp = '2026-01-01T00:00:00Z';

test.each<[string, ReadClaim, ReturnType<typeof pod>[], object | undefined]>([
  ['all are left', claim({ allocation, reservedFor: [pod('q')] }, { finalizers }), [pod('q')], undefined],
  ['nobody had it', claim({ allocation }, { finalizers }), [], undefined],
  [
    'some are left',
    claim({ allocation, reservedFor: [pod('p'), pod('q')] }, { finalizers }),
    [pod('q')],
    { allocation, reservedFor: [pod('q')] },
  ],
  ['nobody is left', claim({ allocation, devices, reservedFor: [pod('p')] }, { finalizers }), [], {}],
  ['not allocated by the scheduler', claim({ allocation, reservedFor: [pod('p')] }), [], { allocation }],
  ['nobody has it, and it goes', claim({ allocation }, { finalizers, deletionTimestamp }), [], {}],
  ['it goes, and had nothing', claim({}, { finalizers, deletionTimestamp }), [], undefined],
])('who is left: %s', (_, given, left, status) => {
  expect(statusFor(given, left)).toEqual(status);
});
