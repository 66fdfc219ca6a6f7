import { expect, test } from 'vitest';
import { internalError } from '../api/errors.ts';
import { resources } from '../api/generated/resources.ts';
import type { ExpressionWarning } from '../api/generated/types.ts';
import { newStorageVersionMigratorController } from './storage-version-migrator/storage-version-migrator-controller.ts';
import { startControllers } from './testing.ts';
import { newPolicyStatusController } from './validating-admission-policy-status/validating-admission-policy-status-controller.ts';

test('policies are type-checked once for each generation', async () => {
  const checked: (number | undefined)[] = [];
  let warnings: ExpressionWarning[] = [{ fieldRef: 'spec.validations[0].expression', warning: 'wrong' }];
  const { cluster, clock, stop } = startControllers((deps) => [
    newPolicyStatusController({
      ...deps,
      checkPolicyTypes: ({ metadata }) => {
        checked.push(metadata.generation);
        return Promise.resolve(warnings);
      },
    }),
  ]);
  const type = resources.validatingadmissionpolicies;
  cluster.add(type, { metadata: { name: 'p', generation: 1 }, spec: {} });
  await clock.advance(10);
  const status = () => cluster.get(type, { name: 'p' })?.status;
  expect(status()).toEqual({ observedGeneration: 1, typeChecking: { expressionWarnings: warnings } });
  await clock.advance(1000);
  expect(checked).toEqual([1]);
  warnings = [];
  cluster.change(type, { name: 'p' }, (policy) => {
    policy.metadata.generation = 2;
  });
  await clock.advance(10);
  expect(checked).toEqual([1, 2]);
  expect(status()?.observedGeneration).toBe(2);
  await stop();
});

function startMigrator() {
  const started = startControllers((deps) => [newStorageVersionMigratorController(deps)]);
  const { cluster } = started;
  const conditions = () => {
    const found = cluster.get(resources.storageversionmigrations, { name: 'm' })?.status?.conditions ?? [];
    return found.map(({ type, status, message }) => `${type} ${status} ${message}`);
  };
  const migrate = (resource: string): void => {
    const creationTimestamp = new Date(started.clock.now()).toISOString();
    const migration = { metadata: { name: 'm', creationTimestamp }, spec: { resource: { group: '', resource } } };
    cluster.add(resources.storageversionmigrations, migration);
  };
  return { ...started, conditions, migrate };
}

test('a migration writes all objects anew', async () => {
  const { cluster, clock, stop, conditions, migrate } = startMigrator();
  for (const name of ['a', 'b']) cluster.add(resources.configmaps, { metadata: { namespace: 'n', name } });
  migrate('configmaps');
  await clock.advance(10);
  const patched = cluster.actions.filter(({ verb, resource }) => verb === 'patch' && resource === 'configmaps');
  expect(patched.map(({ name }) => name)).toEqual(['a', 'b']);
  expect(conditions()).toEqual(['Running False ', 'Succeeded True ']);
  expect(cluster.get(resources.storageversionmigrations, { name: 'm' })?.status?.resourceVersion).toMatch(/^\d+$/);
  await clock.advance(60_000);
  expect(cluster.actions.filter(({ resource }) => resource === 'configmaps')).toHaveLength(2);
  await stop();
});

test('a migration that meets an error fails, one of nothing after a while', async () => {
  const { cluster, clock, stop, conditions, migrate } = startMigrator();
  cluster.add(resources.configmaps, { metadata: { namespace: 'n', name: 'a' } });
  cluster.fail(({ verb, type }) => verb === 'patch' && type.resource === 'configmaps', internalError('broken'));
  migrate('configmaps');
  await clock.advance(10);
  expect(conditions()).toEqual(['Running False ', 'Failed True migration encountered unhandled error']);
  cluster.remove(resources.storageversionmigrations, { name: 'm' });
  migrate('nothing');
  await clock.advance(30_000);
  expect(conditions()).toEqual([]);
  await clock.advance(31_000);
  expect(conditions()).toEqual(['Failed True resource not found']);
  await stop();
});
