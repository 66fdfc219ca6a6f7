import { expect, test } from 'vitest';
import type { ReadPod } from '../pod-status.ts';
import { claimFor, ownerUIDs, type ReadClaim, statusWithout, wantedTemplates } from './claim-plan.ts';

const owner = { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u', controller: true };

function claim(status: object, ownerReferences: object[] = []): ReadClaim {
  const annotations = { 'resource.kubernetes.io/pod-claim-name': 'gpu' };
  return {
    metadata: { namespace: 'n', name: 'c', annotations, ownerReferences },
    spec: {},
    status,
  } as unknown as ReadClaim;
}

test('what is to be made, and what has been', () => {
  const resourceClaims = [
    { name: 'a', resourceClaimTemplateName: 't' },
    { name: 'b', resourceClaimName: 'own' },
    { name: 'c', resourceClaimTemplateName: 't' },
  ];
  const pod = { spec: { resourceClaims }, status: { resourceClaimStatuses: [{ name: 'c', resourceClaimName: 'x' }] } };
  expect(wantedTemplates(pod as unknown as ReadPod).map(({ name }) => name)).toEqual(['a']);
  expect(ownerUIDs(claim({}, [owner]))).toEqual(['u']);
  expect(claimFor('gpu', [claim({})])?.metadata.name).toBe('c');
  expect(claimFor('other', [claim({})])).toBeUndefined();
});

const pod = (name: string) => ({ resource: 'pods', name, uid: `uid-of-${name}` });
const allocation = { devices: {} };

test.each<[string, ReadClaim, object | undefined]>([
  ['of another pod', claim({ allocation, reservedFor: [pod('q')] }), undefined],
  ['of nobody', claim({ allocation }), undefined],
  ['shared', claim({ allocation, reservedFor: [pod('p'), pod('q')] }), { allocation, reservedFor: [pod('q')] }],
  ['made by a user', claim({ allocation, reservedFor: [pod('p')] }), { allocation }],
  ['made for the pod', claim({ allocation, reservedFor: [pod('p')] }, [owner]), {}],
])('a pod has ended: %s', (_, given, status) => {
  expect(statusWithout(given, 'p')).toEqual(status);
});
