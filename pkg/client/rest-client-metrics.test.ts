import { expect, test } from 'vitest';
import { FakeClock } from '../base/clock.ts';
import { createMetrics } from '../base/metrics.ts';
import { RestClientMetrics } from './rest-client-metrics.ts';

test('requests are counted by what comes of them, and passed on', async () => {
  const metrics = createMetrics();
  const clock = new FakeClock();
  const requests = new RestClientMetrics(metrics, clock);
  const answer = { statusCode: 201 };
  const slow = async () => {
    await clock.advance(300);
    return answer;
  };
  expect(await requests.observed('POST', 'host:443', slow)).toBe(answer);
  const broken = requests.observed('GET', 'host:443', () => Promise.reject(new Error('gone')));
  await expect(broken).rejects.toThrow('gone');
  const text = await metrics.metrics();
  expect(text).toContain('rest_client_requests_total{code="201",method="POST",host="host:443"} 1');
  expect(text).toContain('rest_client_requests_total{code="<error>",method="GET",host="host:443"} 1');
  expect(text).toContain('rest_client_request_duration_seconds_sum{verb="POST",host="host:443"} 0.3');
});
