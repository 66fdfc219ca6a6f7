import { expect, test } from 'vitest';
import type { Pod } from '../types.ts';
import { admitPod } from './admission.ts';

function admit(spec: object, all = false): unknown {
  const pod = { metadata: { name: 'p' }, spec: { containers: [{ name: 'a' }], ...spec } } as unknown as Pod;
  return admitPod({
    pod,
    node: undefined,
    others: [],
    allocatable: { pods: '10' },
    features: { appArmor: all, supplementalGroupsPolicy: all, recursiveReadOnlyMounts: all },
    allowedUnsafeSysctls: [],
  });
}
const localhost = { securityContext: { appArmorProfile: { type: 'RuntimeDefault' } } };

test.each([
  [{}, undefined],
  [{ securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] } }, 'SysctlForbidden'],
  [{ containers: [{ name: 'a', ...localhost }] }, 'AppArmor'],
  [localhost, 'AppArmor'],
  [{ securityContext: { appArmorProfile: { type: 'Unconfined' } } }, undefined],
  [{ securityContext: { supplementalGroupsPolicy: 'Strict' } }, 'SupplementalGroupsPolicyNotSupported'],
  [{ securityContext: { supplementalGroupsPolicy: 'Merge' } }, undefined],
])('%j', (spec, reason) => {
  expect((admit(spec) as { reason: string } | undefined)?.reason).toBe(reason);
});

test('what the node has is not refused', () => {
  expect(admit({ securityContext: { supplementalGroupsPolicy: 'Strict' } }, true)).toBeUndefined();
  expect(admit(localhost, true)).toBeUndefined();
});
