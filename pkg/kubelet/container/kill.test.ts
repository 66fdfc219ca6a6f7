import { expect, test } from 'vitest';
import type { RuntimeContainer } from '../runtime/pod-runtime.ts';
import type { Pod } from '../types.ts';
import { inOrderOfEnd } from './kill.ts';

test('containers end in spec order, sidecars after them from the last to the first', () => {
  const spec = {
    initContainers: [
      { name: 's1', restartPolicy: 'Always' },
      { name: 'init' },
      { name: 's2', restartPolicy: 'Always' },
    ],
    containers: [{ name: 'a' }, { name: 'b' }],
    ephemeralContainers: [{ name: 'debug' }],
  };
  const pod = { metadata: { name: 'p', namespace: 'n', uid: 'u' }, spec, status: {} } as unknown as Pod;
  const running = ['debug', 's1', 'gone', 'b', 's2', 'a'].map((name) => ({ name }) as unknown as RuntimeContainer);
  const { others, sidecars } = inOrderOfEnd(pod, running);
  expect(others.map(({ container }) => container.name)).toEqual(['a', 'b', 'debug', 'gone']);
  expect(others.at(-1)?.spec).toBeUndefined();
  expect(sidecars.map(({ container }) => container.name)).toEqual(['s2', 's1']);
});
