import { expect, test } from 'vitest';
import { VolumeStates } from './volume-states.ts';

test('volumes are wanted, then there, then in the way', () => {
  const states = new VolumeStates();
  const secret = { plugin: 'kubernetes.io/secret', block: false };
  const disk = { plugin: 'kubernetes.io/local-volume', block: true };
  states.want('u', 'a', secret);
  states.want('u', 'b', disk);
  states.want('v', 'a', secret);
  expect(states.counts()).toEqual({
    desired: new Map([
      [secret.plugin, 2],
      [disk.plugin, 1],
    ]),
    actual: new Map(),
  });
  states.setMounted('u', 'a');
  states.setMounted('v', 'other');
  // It is looked at again.
  states.want('u', 'a', secret);
  expect([states.isMounted('u', 'a'), states.isMounted('u', 'b'), states.isMounted('v', 'a')]).toEqual([
    true,
    false,
    false,
  ]);
  expect(states.leave('u')).toMatchObject([secret]);
  expect(states.counts()).toEqual({ desired: new Map([[secret.plugin, 1]]), actual: new Map([[secret.plugin, 1]]) });
  states.forget('u');
  expect(states.counts().actual.size).toBe(0);
  expect(states.leave('unknown')).toEqual([]);
});
