import { expect, test } from 'vitest';
import { formatTime } from '../../api/time.ts';
import { FakeClock } from '../../base/clock.ts';
import type { Client } from '../../client/client.ts';
import type { Pod } from '../types.ts';
import { ServiceAccountTokens } from './token-source.ts';

const HOUR_MS = 3_600_000;
const pod = { metadata: { namespace: 'ns', name: 'p', uid: 'u' }, spec: {} } as Pod;

test('tokens are kept for most of their life, but not when the wall clock says that they are over, or not valid yet', async () => {
  const clock = new FakeClock();
  let made = 0;
  const createSubresource = async (): Promise<object> => {
    made++;
    return { status: { token: `t${made}`, expirationTimestamp: formatTime(clock.now() + HOUR_MS) } };
  };
  const tokens = new ServiceAccountTokens({ createSubresource } as unknown as Client, clock);
  const current = async (): Promise<string> => (await tokens.token(pod, '', 3600)).token;
  expect([await current(), await current()]).toEqual(['t1', 't1']);
  await clock.advance(0.8 * HOUR_MS);
  expect(await current()).toBe('t2');
  clock.setWall(2 * HOUR_MS);
  expect(await current()).toBe('t3');
  clock.setWall(-2 * HOUR_MS);
  expect([await current(), await current()]).toEqual(['t4', 't4']);
});
