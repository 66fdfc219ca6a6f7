import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { FakeClock } from '../../base/clock.ts';
import { type LogFields, silentLogger } from '../../base/logger.ts';
import { nonResourceInfo } from '../request/request-info.ts';
import { SlowRequests } from './slow-requests.ts';

test('slow requests are logged with their identifiers, but not all of a flood', async () => {
  const clock = new FakeClock();
  const lines: LogFields[] = [];
  const slow = new SlowRequests(clock, { ...silentLogger, info: (fields) => void lines.push(fields) });
  const headers = { 'user-agent': 'kubectl', traceparent: '00-1-2-01', 'x-request-id': 'r1' };
  const request = { method: 'GET', url: '/version?x=y', headers } as unknown as IncomingMessage;
  const observe = (tookMs: number): void =>
    slow.observe(request, nonResourceInfo('GET', '/version'), { auditID: 'a1', code: 200, tookMs, waitedMs: 20.4 });
  observe(499);
  expect(lines).toEqual([]);
  for (let i = 0; i < 5; i++) observe(700.2);
  await clock.advance(100);
  observe(800);
  expect(lines).toEqual([
    {
      method: 'GET',
      url: '/version?x=y',
      verb: 'get',
      code: 200,
      tookMs: 700,
      waitedMs: 20,
      auditID: 'a1',
      userAgent: 'kubectl',
      traceparent: '00-1-2-01',
      requestID: 'r1',
    },
    expect.objectContaining({ tookMs: 800, othersNotLogged: 4 }),
  ]);
});
