import { expect, test } from 'vitest';
import { resources } from '../../api/generated/resources.ts';
import { startControllers } from '../testing.ts';
import { newClusterRoleAggregationController } from './clusterrole-aggregation-controller.ts';

test('an aggregated role follows the roles that it selects', async () => {
  const { cluster, clock, stop } = startControllers((deps) => [newClusterRoleAggregationController(deps)]);
  const rule = (resource: string) => ({ apiGroups: [''], resources: [resource], verbs: ['get'] });
  const role = (name: string, ...names: string[]) =>
    cluster.add(resources.clusterroles, { metadata: { name, labels: { to: 'view' } }, rules: names.map(rule) });
  cluster.add(resources.clusterroles, {
    metadata: { name: 'view', labels: { to: 'view' } },
    aggregationRule: { clusterRoleSelectors: [{ matchLabels: { to: 'view' } }] },
    rules: [rule('left-over')],
  });
  const rules = () => cluster.get(resources.clusterroles, { name: 'view' })?.rules?.map((one) => one.resources?.[0]);
  role('b', 'pods', 'nodes');
  role('a', 'secrets', 'pods');
  await clock.advance(10);
  expect(rules()).toEqual(['secrets', 'pods', 'nodes']);
  cluster.remove(resources.clusterroles, { name: 'a' });
  await clock.advance(10);
  expect(rules()).toEqual(['pods', 'nodes']);
  const writes = cluster.actions.length;
  await clock.advance(60_000);
  expect(cluster.actions).toHaveLength(writes);
  await stop();
});
