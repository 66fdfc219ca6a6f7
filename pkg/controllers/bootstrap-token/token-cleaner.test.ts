import { expect, test } from 'vitest';
import { resources } from '../../api/generated/resources.ts';
import { startControllers } from '../testing.ts';
import { newTokenCleaner } from './token-cleaner.ts';

test('expired bootstrap tokens are deleted, other secrets stay', async () => {
  const { cluster, clock, stop } = startControllers((deps) => [newTokenCleaner(deps)]);
  const add = (name: string, expiration: string, type = 'bootstrap.kubernetes.io/token', namespace = 'kube-system') =>
    cluster.add(resources.secrets, {
      metadata: { namespace, name },
      type,
      data: { expiration: Buffer.from(expiration).toString('base64') },
    });
  add('soon', new Date(clock.now() + 60_000).toISOString());
  add('past', '2025-01-01T00:00:00Z');
  add('broken', 'tomorrow');
  add('forever', '');
  add('opaque', '2025-01-01T00:00:00Z', 'Opaque');
  add('elsewhere', '2025-01-01T00:00:00Z', undefined, 'default');
  await clock.advance(10);
  const left = () => cluster.list(resources.secrets).map(({ metadata }) => metadata.name);
  expect(left().sort()).toEqual(['elsewhere', 'forever', 'opaque', 'soon']);
  await clock.advance(60_000);
  expect(left().sort()).toEqual(['elsewhere', 'forever', 'opaque']);
  await stop();
});
