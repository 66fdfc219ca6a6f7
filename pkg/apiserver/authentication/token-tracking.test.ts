import { expect, it } from 'vitest';
import { resources } from '../../api/generated/resources.ts';
import { TRACKING_CONFIG_MAP } from '../../api/legacy-tokens.ts';
import { FakeClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { FakeCluster } from '../../client/testing/fake-cluster.ts';
import { FakeReader } from '../authorization/testing/fake-reader.ts';
import { TokenTracking } from './token-tracking.ts';

it.each<[string, string | undefined, string]>([
  ['nothing', undefined, '2026-01-02'],
  ['an earlier day', '2025-06-30', '2025-06-30'],
  ['today', '2026-01-02', '2026-01-02'],
  ['a day to come', '2026-01-03', '2026-01-02'],
  ['no day', '2025-02-30', '2026-01-02'],
])('where there is %s the ConfigMap says what is so', async (_, since, wanted) => {
  const clock = new FakeClock(Date.UTC(2026, 0, 2, 12));
  const cluster = new FakeCluster({ clock });
  const reader = new FakeReader();
  const see = (): void =>
    reader.put(resources.configmaps, cluster.get(resources.configmaps, TRACKING_CONFIG_MAP) as never);
  if (since !== undefined) {
    cluster.add(resources.configmaps, { metadata: TRACKING_CONFIG_MAP, data: { since } });
    see();
  }
  const tracking = new TokenTracking({ reader, client: cluster.client, clock, logger: silentLogger });
  const controller = new AbortController();
  const ready = Promise.withResolvers<void>();
  const done = tracking.run(controller.signal, ready.resolve);
  await ready.promise;
  const data = () => cluster.get(resources.configmaps, TRACKING_CONFIG_MAP)?.data;
  expect(data()).toEqual({ since: wanted });
  cluster.change(resources.configmaps, TRACKING_CONFIG_MAP, (map) => {
    map.data = { since: 'never' };
  });
  see();
  controller.abort();
  await done;
  expect(data()).toEqual({ since: '2026-01-02' });
});
