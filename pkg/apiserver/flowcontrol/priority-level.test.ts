import { describe, expect, test } from 'vitest';
import { FakeClock } from '../../base/clock.ts';
import { Query } from '../request/query.ts';
import { nonResourceInfo } from '../request/request-info.ts';
import type { LevelLimits } from './configuration.ts';
import { PriorityLevel, type RefusalReason, type Release } from './priority-level.ts';
import type { WorkEstimate } from './work-estimate.ts';

const NEVER = new AbortController().signal;

interface More {
  readonly seats?: number;
  readonly work?: WorkEstimate;
  readonly signal?: AbortSignal;
}

class Bench {
  readonly clock = new FakeClock();
  spare = 0;
  readonly level: PriorityLevel;

  constructor(limits: Partial<LevelLimits> = {}) {
    this.level = new PriorityLevel(
      {
        name: 'level',
        uid: 'uid',
        exempt: false,
        nominal: 2,
        lendable: 0,
        borrowable: 0,
        queuing: { queues: 16, handSize: 2, lengthLimit: 3 },
        ...limits,
      },
      { clock: this.clock, spareSeats: () => this.spare, freed: () => this.level.dispatch() },
    );
  }

  enter(flow: string, more: More = {}) {
    return this.level.enter({
      schema: 'schema',
      distinguisher: flow,
      work: more.work ?? { seats: more.seats ?? 1, finalSeats: 0, finalMs: 0 },
      arrival: {
        info: nonResourceInfo('GET', '/'),
        user: { username: flow, groups: [] },
        query: Query.empty,
        signal: more.signal ?? NEVER,
      },
    });
  }

  /** A request that has its seat at once. */
  seat(flow: string, more: More = {}): Release {
    const entered = this.enter(flow, more);
    if (typeof entered !== 'function') throw new Error('no seat');
    return entered;
  }
}

describe('seats', () => {
  test('what finds one runs at once, what does not waits for the next', async () => {
    const bench = new Bench();
    const first = bench.seat('a');
    bench.seat('b');
    const third = bench.enter('c') as Promise<Release>;
    expect(third).toBeInstanceOf(Promise);
    expect([bench.level.executing, bench.level.waiting]).toEqual([2, 1]);
    first();
    first();
    expect(typeof (await third)).toBe('function');
    expect([bench.level.executing, bench.level.waiting, bench.level.seatsInUse]).toEqual([2, 0, 2]);
  });

  test('an exempt level never waits', () => {
    const bench = new Bench({ exempt: true, nominal: 0 });
    for (let i = 0; i < 100; i++) bench.seat('a');
    expect(bench.level.executing).toBe(100);
  });

  test('a request wider than the level runs alone', () => {
    const bench = new Bench();
    bench.seat('a', { seats: 5 });
    expect(bench.enter('b')).toBeInstanceOf(Promise);
  });

  test('a level borrows what others have to spare, up to its limit', () => {
    const bench = new Bench({ borrowable: 2 });
    bench.spare = 5;
    for (let i = 0; i < 4; i++) bench.seat('a');
    expect(bench.enter('a')).toBeInstanceOf(Promise);
  });

  test('final seats are kept for a while after the request', async () => {
    const bench = new Bench({ nominal: 1 });
    bench.seat('a', { work: { seats: 1, finalSeats: 1, finalMs: 50 } })();
    expect(bench.level.executing).toBe(0);
    const next = bench.enter('b') as Promise<Release>;
    await bench.clock.advance(49);
    expect(bench.level.waiting).toBe(1);
    await bench.clock.advance(1);
    expect(typeof (await next)).toBe('function');
  });
});

describe('refusals', () => {
  test('without queues at once', () => {
    const { queuing: _, ...limits } = new Bench().level.limits;
    const bench = new Bench();
    bench.level.configure(limits);
    bench.seat('a');
    bench.seat('a');
    expect(bench.enter('a')).toBe('concurrency-limit');
  });

  test('when the queues of the hand are full', () => {
    const bench = new Bench();
    bench.seat('a');
    bench.seat('a');
    for (let i = 0; i < 6; i++) expect(bench.enter('a')).toBeInstanceOf(Promise);
    expect(bench.enter('a')).toBe('queue-full');
    expect(bench.level.counts.rejected).toBe(1);
  });

  test('after a quarter of the request timeout, and when the client is gone', async () => {
    const bench = new Bench({ nominal: 1 });
    const gone = new AbortController();
    const release = bench.seat('a');
    const late = bench.enter('b') as Promise<RefusalReason>;
    const left = bench.enter('c', { signal: gone.signal }) as Promise<RefusalReason>;
    gone.abort();
    expect(await left).toBe('cancelled');
    await bench.clock.advance(15_000);
    expect(await late).toBe('time-out');
    release();
    expect([bench.level.waiting, bench.level.executing, bench.clock.pending]).toEqual([0, 0, 0]);
  });
});

describe('fairness', () => {
  /** Runs whatever gets a seat for `costMs` each and says how often each flow ran. */
  async function share(costs: Readonly<Record<string, number>>, rounds: number): Promise<Record<string, number>> {
    const bench = new Bench({ nominal: 1, queuing: { queues: 64, handSize: 4, lengthLimit: 1000 } });
    const served: Record<string, number> = {};
    const running: { flow: string; release: Release }[] = [];
    const add = (flow: string): void => {
      const entered = bench.enter(flow);
      const start = (release: Release | RefusalReason): void => {
        if (typeof release === 'function') running.push({ flow, release });
      };
      if (entered instanceof Promise) void entered.then(start);
      else start(entered);
    };
    for (const flow of Object.keys(costs)) for (let i = 0; i < 20; i++) add(flow);
    for (let i = 0; i < rounds; i++) {
      const next = running.shift();
      if (next === undefined) throw new Error('nothing runs');
      served[next.flow] = (served[next.flow] ?? 0) + 1;
      await bench.clock.advance(costs[next.flow] ?? 0);
      add(next.flow);
      next.release();
      await bench.clock.advance(0);
    }
    return served;
  }

  test('a flow with one client is served as often as one with many', async () => {
    const bench = new Bench({ nominal: 1, queuing: { queues: 64, handSize: 4, lengthLimit: 1000 } });
    let holder = bench.seat('noisy');
    const order: string[] = [];
    const wait = (flow: string): void => {
      void (bench.enter(flow) as Promise<Release>).then((release) => {
        order.push(flow);
        holder = release;
      });
    };
    for (let i = 0; i < 50; i++) wait('noisy');
    wait('quiet');
    for (let i = 0; i < 6; i++) {
      await bench.clock.advance(10);
      holder();
      await bench.clock.advance(0);
    }
    expect(order.slice(0, 5)).toContain('quiet');
  });

  test('flows get equal time, whatever one request takes', async () => {
    const { cheap = 0, dear = 0 } = await share({ cheap: 10, dear: 40 }, 400);
    expect(cheap / dear).toBeGreaterThan(2.5);
    expect(cheap / dear).toBeLessThan(6);
  });
});
