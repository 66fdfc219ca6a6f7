import { expect, test } from 'vitest';
import { resources } from '../api/generated/resources.ts';
import { FakeClock } from '../base/clock.ts';
import { silentLogger } from '../base/logger.ts';
import { createClient } from './api-client.ts';
import { LeaseHolder, type LeaseHolderOptions } from './lease-holder.ts';
import { FakeCluster } from './testing/fake-cluster.ts';

const key = { namespace: 'kube-node-lease', name: 'n1' };

function setup() {
  const clock = new FakeClock();
  const cluster = new FakeCluster({ clock });
  const start = (identity: string, options: Partial<LeaseHolderOptions> = {}) => {
    const stop = new AbortController();
    const holder = new LeaseHolder(
      { ...key, identity, durationSeconds: 40, renewIntervalMs: 10_000, ...options },
      { client: cluster.client, clock, logger: silentLogger },
    );
    const state = { ready: false, error: undefined as unknown };
    const done = holder
      .run(stop.signal, () => {
        state.ready = true;
      })
      .catch((error: unknown) => {
        state.error = error;
      });
    return {
      state,
      stop: () => {
        stop.abort();
        return done;
      },
    };
  };
  return { clock, cluster, start };
}

test('creates the lease with its owner and renews it, also after it was deleted', async () => {
  const { clock, cluster, start } = setup();
  const owner = { apiVersion: 'v1', kind: 'Node', name: 'n1', uid: 'u' };
  const { state, stop } = start('n1', { owner: () => owner });
  await clock.advance(0);
  expect(state.ready).toBe(true);
  expect(cluster.get(resources.leases, key)).toMatchObject({
    metadata: { ownerReferences: [owner] },
    spec: { holderIdentity: 'n1', leaseDurationSeconds: 40, renewTime: '2026-01-01T00:00:00.000000Z' },
  });
  await clock.advance(10_000);
  expect(cluster.get(resources.leases, key)?.spec.renewTime).toBe('2026-01-01T00:00:10.000000Z');
  cluster.remove(resources.leases, key);
  await clock.advance(10_000);
  expect(cluster.get(resources.leases, key)?.spec.renewTime).toBe('2026-01-01T00:00:20.000000Z');
  await stop();
});

test('waits for a foreign lease to expire; the loser fails', async () => {
  const { clock, cluster, start } = setup();
  const first = start('a', { failWhenLost: true });
  await clock.advance(0);
  const second = start('b', { failWhenLost: true });
  await clock.advance(100_000);
  expect([first.state.ready, second.state.ready]).toEqual([true, false]);
  await first.stop();
  await clock.advance(43_000);
  expect(second.state.ready).toBe(true);
  expect(cluster.get(resources.leases, key)?.spec).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 });
  cluster.change(resources.leases, key, (lease) => {
    lease.spec.holderIdentity = 'c';
  });
  await clock.advance(10_000);
  expect(second.state.error).toBeInstanceOf(Error);
});

test('a released lease is taken at once', async () => {
  const { clock, start } = setup();
  const first = start('a', { releaseOnStop: true });
  await clock.advance(0);
  await first.stop();
  const second = start('b');
  await clock.advance(0);
  expect(second.state.ready).toBe(true);
  await second.stop();
});

test('a renewal that is lost on a cut link does not hold up the next', async () => {
  const clock = new FakeClock();
  const cluster = new FakeCluster({ clock });
  let isCut = false;
  const client = createClient({
    inProcess: false,
    request: (request, signal) =>
      isCut
        ? new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason), { once: true }))
        : cluster.request(request),
    watch: (...args) => cluster.watch(...args),
    raw: () => Promise.reject(new Error('not used')),
  });
  const options = { ...key, identity: 'n1', durationSeconds: 40, renewIntervalMs: 10_000 };
  const stop = new AbortController();
  let answeredAgain = 0;
  const deps = { client, clock, logger: silentLogger, answeredAgain: () => answeredAgain++ };
  const done = new LeaseHolder(options, deps).run(stop.signal, () => {});
  const renewed = () => cluster.get(resources.leases, key)?.spec.renewTime;
  await clock.advance(5_000);
  isCut = true;
  await clock.advance(6_000);
  isCut = false;
  // The try of second 10 has an answer to wait for that never comes; it is given up in second 20.
  await clock.advance(8_000);
  expect([renewed(), answeredAgain]).toEqual(['2026-01-01T00:00:00.000000Z', 0]);
  await clock.advance(4_000);
  expect([renewed(), answeredAgain]).toEqual(['2026-01-01T00:00:22.000000Z', 1]);
  await clock.advance(20_000);
  expect(answeredAgain).toBe(1);
  stop.abort();
  await done;
});
