import { expect, it } from 'vitest';
import { Retention } from './retention.ts';

const options = { retentionMs: 3200, retentionBytes: 3200 };

it('begins a segment after a thirty-second part of the window, in time or size', () => {
  const retention = new Retention(options, [], 0);
  const first = retention.nextSegment(2, 0);
  expect(first).toMatchObject({ segment: { from: 2, startedMs: 0 }, endedBytes: 0 });
  retention.committed(first?.segment, 40, 0);
  expect(retention.nextSegment(3, 99)).toBeUndefined();
  expect(retention.nextSegment(3, 100)).toMatchObject({ endedBytes: 40 });
  retention.committed(undefined, 60, 50);
  expect(retention.nextSegment(4, 50)).toMatchObject({ endedBytes: 100 });
});

it.each([
  ['nothing is due', 3000, undefined],
  ['the first segment is too old once the second began that long ago', 3300, 10],
  ['two are', 3400, 20],
  ['all are, with the last write', 4000, 25],
])('%s', (_, nowMs, target) => {
  const segments = [
    { from: 2, startedMs: 0, bytes: 1 },
    { from: 10, startedMs: 100, bytes: 1 },
    { from: 20, startedMs: 200, bytes: 1 },
  ];
  const retention = new Retention(options, segments, 700);
  expect(retention.dueMs()).toBe(3300);
  expect(retention.target(25, nowMs)).toBe(target);
});

it('gives up the oldest segments when all are too large, but never the one being written', () => {
  const segments = [
    { from: 2, startedMs: 0, bytes: 3000 },
    { from: 10, startedMs: 0, bytes: 150 },
    { from: 20, startedMs: 0, bytes: 9000 },
  ];
  const retention = new Retention(options, segments, 0);
  expect(retention.tooLarge).toBe(true);
  expect(retention.target(25, 0)).toBe(20);
  retention.compacted(20, 25);
  expect(retention.tooLarge).toBe(false);
  expect(retention.firstRevision).toBe(20);
  retention.compacted(25, 25);
  expect(retention.dueMs()).toBeUndefined();
});
