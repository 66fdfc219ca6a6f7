import { expect, test } from 'vitest';
import { createMetrics } from './metrics.ts';
import { registerProcessMetrics } from './process-metrics.ts';

test('the process is measured when it is scraped', async () => {
  const metrics = createMetrics();
  registerProcessMetrics(metrics);
  const text = await metrics.metrics();
  const value = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
  const nowSeconds = Date.now() / 1000;
  expect(value('process_start_time_seconds')).toBeGreaterThan(nowSeconds - 600);
  expect(value('process_start_time_seconds')).toBeLessThanOrEqual(nowSeconds + 1);
  expect(value('process_cpu_seconds_total')).toBeGreaterThan(0);
  expect(text).toContain('# TYPE process_cpu_seconds_total counter');
  expect(value('process_virtual_memory_bytes')).toBeGreaterThan(value('process_resident_memory_bytes'));
  expect(value('process_max_fds')).toBeGreaterThan(value('process_open_fds'));
  expect(value('nodejs_heap_size_used_bytes')).toBeGreaterThan(1e6);
});
