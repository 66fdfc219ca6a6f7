import { expect, test } from 'vitest';
import { Counter, createMetrics, Histogram, metricsText } from './metrics.ts';
import { TallyCounter, TallyHistogram } from './tallies.ts';

test('are scraped as prom-client would have them', async () => {
  const ours = createMetrics();
  const theirs = createMetrics();
  const counter = { name: 'things_total', help: 'Things.', labelNames: ['kind', 'code'] } as const;
  const histogram = { name: 'took_seconds', help: 'Time.', labelNames: ['kind'], buckets: [0.1, 1, 5] } as const;
  const tally = new TallyCounter(counter, ours);
  const times = new TallyHistogram(histogram, ours);
  const plain = new Counter({ ...counter, registers: [theirs] });
  const plainTimes = new Histogram({ ...histogram, buckets: [...histogram.buckets], registers: [theirs] });
  for (const labels of [
    { kind: 'a', code: '200' },
    { kind: 'a', code: '404' },
    { kind: 'a', code: '200' },
  ]) {
    tally.labels(labels).inc();
    plain.inc(labels);
  }
  for (const value of [0.05, 0.1, 0.2, 5, 7]) {
    times.labels({ kind: 'b' }).observe(value);
    plainTimes.observe({ kind: 'b' }, value);
  }
  const lines = async (text: Promise<string>) =>
    (await text).replaceAll(/\{([^}]*)\}/g, (_, labels: string) => `{${labels.split(',').sort().join(',')}}`);
  expect(await lines(ours.metrics())).toBe(await lines(theirs.metrics()));
  expect(await metricsText(ours)).toBe(await ours.metrics());
});

test('a series is there once', () => {
  const counter = new TallyCounter({ name: 'n', help: 'N.', labelNames: ['a', 'b'] }, createMetrics());
  expect(counter.labels({ a: 'x', b: 'y' })).toBe(counter.labels({ b: 'y', a: 'x' }));
  expect(counter.labels({ a: 'x', b: 'y' })).not.toBe(counter.labels({ a: 'y', b: 'x' }));
});
