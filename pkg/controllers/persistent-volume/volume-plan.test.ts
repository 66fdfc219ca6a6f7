import { expect, test } from 'vitest';
import { claimStatus } from './binder.ts';
import type { Claim, Volume } from './claims-and-volumes.ts';
import { deleterOf, planVolume, unbound } from './volume-plan.ts';

const BY_CONTROLLER = { 'pv.kubernetes.io/bound-by-controller': 'yes' };

function volume(spec: object, annotations?: Record<string, string>): Volume {
  const metadata = { name: 'v', ...(annotations === undefined ? {} : { annotations }) };
  return { metadata, spec, status: { phase: 'Bound' } } as unknown as Volume;
}

function claim(spec: object = {}): Claim {
  return { metadata: { namespace: 'n', name: 'c', uid: 'u' }, spec, status: { phase: 'Pending' } } as unknown as Claim;
}

const ours = { claimRef: { namespace: 'n', name: 'c', uid: 'u' } };
const provisioned = { 'pv.kubernetes.io/provisioned-by': 'example.com/p' };

test.each<[string, Volume, Claim | undefined, object]>([
  ['free', volume({}), undefined, { kind: 'phase', phase: 'Available' }],
  ['reserved', volume({ claimRef: { namespace: 'n', name: 'c' } }), claim(), { kind: 'phase', phase: 'Available' }],
  ['its claim is gone', volume(ours), undefined, { kind: 'reclaim' }],
  ['its claim was replaced', volume({ claimRef: { ...ours.claimRef, uid: 'old' } }), claim(), { kind: 'reclaim' }],
  ['half bound', volume(ours), claim(), { kind: 'bind-claim' }],
  ['half bound, of another mode', volume({ ...ours, volumeMode: 'Block' }), claim(), { kind: 'mode-mismatch' }],
  ['bound', volume(ours), claim({ volumeName: 'v' }), { kind: 'phase', phase: 'Bound' }],
  ['its claim has another', volume(ours), claim({ volumeName: 'w' }), { kind: 'unbind' }],
  [
    'made in vain',
    volume({ ...ours, persistentVolumeReclaimPolicy: 'Delete' }, provisioned),
    claim({ volumeName: 'w' }),
    { kind: 'reclaim' },
  ],
  [
    'made in vain, to be kept',
    volume({ ...ours, persistentVolumeReclaimPolicy: 'Retain' }, provisioned),
    claim({ volumeName: 'w' }),
    { kind: 'unbind' },
  ],
])('%s', (_, subject, its, expected) => {
  expect(planVolume(subject, its)).toEqual(expected);
});

test('unbinding takes back what the controller wrote, and no more', () => {
  expect(unbound(volume(ours, { ...BY_CONTROLLER, a: 'b' }))).toEqual(volume({}, { a: 'b' }));
  expect(unbound(volume(ours, BY_CONTROLLER))).toEqual(volume({}));
  expect(unbound(volume(ours))).toEqual(volume({ claimRef: { namespace: 'n', name: 'c' } }));
});

test.each<[string, Volume, object]>([
  ['a driver made it', volume({ hostPath: { path: '/tmp/a' } }, provisioned), { kind: 'external' }],
  ['a temporary directory', volume({ hostPath: { path: '/tmp/a' } }), { kind: 'host-path', path: '/tmp/a' }],
  [
    'a directory of value',
    volume({ hostPath: { path: '/var/a' } }),
    { kind: 'none', message: 'host_path deleter only supports /tmp/.+ but received provided /var/a' },
  ],
  [
    'out of the temporary directory',
    volume({ hostPath: { path: '/tmp/../var' } }),
    { kind: 'none', message: 'host_path deleter only supports /tmp/.+ but received provided /tmp/../var' },
  ],
  [
    'nobody deletes it',
    volume({ local: { path: '/mnt' } }),
    {
      kind: 'none',
      message: 'error getting deleter volume plugin for volume "v": no deletable volume plugin matched',
    },
  ],
])('deleting: %s', (_, subject, expected) => {
  expect(deleterOf(subject)).toEqual(expected);
});

test("a claim's capacity is taken over once, when it becomes bound", () => {
  const bound = volume({ ...ours, accessModes: ['ReadWriteOnce'], capacity: { storage: '2Gi' } });
  const status = claimStatus(claim(), 'Bound', bound);
  expect(status).toEqual({ phase: 'Bound', accessModes: ['ReadWriteOnce'], capacity: { storage: '2Gi' } });
  const grown = volume({ ...ours, accessModes: ['ReadWriteOnce'], capacity: { storage: '3Gi' } });
  expect(claimStatus({ ...claim(), status }, 'Bound', grown)).toEqual(status);
  expect(claimStatus({ ...claim(), status }, 'Lost', undefined)).toEqual({ phase: 'Lost' });
});
