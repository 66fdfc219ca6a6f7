import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../base/clock.ts';
import { GATHER_MS, WatchPacer } from './watch-pacer.ts';

describe('WatchPacer', () => {
  it('flushes everyone who waits, once, after one interval', async () => {
    const clock = new FakeClock();
    const pacer = new WatchPacer(clock);
    const flushed: number[] = [];
    for (let i = 0; i < 600; i++) pacer.wait({ flush: () => void flushed.push(i) });
    expect(clock.pending).toBe(1);
    await clock.advance(GATHER_MS);
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    expect(flushed).toEqual(Array.from({ length: 600 }, (_, i) => i));
    pacer.wait({ flush: () => void flushed.push(-1) });
    await clock.advance(GATHER_MS);
    expect(flushed.length).toBe(601);
  });

  it('joins equal parts once', () => {
    const pacer = new WatchPacer(new FakeClock());
    const [a, b] = [Buffer.from('a'), Buffer.from('b')];
    const first = pacer.join([a, b], 2);
    expect(first.toString()).toBe('ab');
    expect(pacer.join([a, b], 2)).toBe(first);
    expect(pacer.join([b, a], 2).toString()).toBe('ba');
    expect(pacer.join([a], 1)).toBe(a);
  });
});
