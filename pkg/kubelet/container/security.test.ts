import { expect, test } from 'vitest';
import type { Pod } from '../types.ts';
import { sandboxSecurityContext } from './security.ts';

test.each([
  ['a runtime of others', undefined, { profileType: 'RuntimeDefault' }],
  ['our own', '/payload/pause-seccomp.json', { profileType: 'Localhost', localhostRef: '/payload/pause-seccomp.json' }],
])('the sandbox of %s has a seccomp profile, whatever its containers have', (_, profile, expected) => {
  const securityContext = { seccompProfile: { type: 'Unconfined' } };
  const pod = { spec: { securityContext, containers: [{ name: 'main' }] } } as unknown as Pod;
  expect(sandboxSecurityContext(pod, undefined, profile).seccomp).toEqual(expected);
});
