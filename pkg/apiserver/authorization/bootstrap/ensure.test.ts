import { beforeEach, describe, expect, it } from 'vitest';
import { resources } from '../../../api/generated/resources.ts';
import type { ClusterRole } from '../../../api/generated/types.ts';
import { FakeCluster } from '../../../client/testing/fake-cluster.ts';
import { ensureBootstrapRBAC } from './ensure.ts';
import { bootstrapClusterRoleBindings, bootstrapClusterRoles } from './policy.ts';

let cluster: FakeCluster;

beforeEach(async () => {
  cluster = new FakeCluster();
  await ensureBootstrapRBAC(cluster.client);
  cluster.actions.length = 0;
});

const verbs = (): string[] => cluster.actions.map(({ verb, name }) => `${verb} ${name}`);

describe('ensureBootstrapRBAC', () => {
  it('creates everything once, with the aggregated roles already filled', async () => {
    expect(cluster.list(resources.clusterroles)).toHaveLength(bootstrapClusterRoles.length);
    expect(cluster.list(resources.clusterrolebindings)).toHaveLength(bootstrapClusterRoleBindings.length);
    const rules = (name: string): ClusterRole['rules'] =>
      cluster.get(resources.clusterroles, { name })?.rules as ClusterRole['rules'];
    expect(rules('view')?.length).toBeGreaterThan(5);
    expect(rules('edit')?.length).toBeGreaterThan(rules('view')?.length ?? 0);
    expect(rules('admin')?.some((rule) => rule.resources?.includes('roles'))).toBe(true);
    await ensureBootstrapRBAC(cluster.client);
    expect(verbs()).toEqual([]);
  });

  it('puts back what was taken away and keeps what was added', async () => {
    cluster.change(resources.clusterroles, { name: 'system:kube-dns' }, (role) => {
      role.rules = [{ verbs: ['get'], apiGroups: ['example.com'], resources: ['widgets'] }];
    });
    cluster.change(resources.clusterrolebindings, { name: 'cluster-admin' }, (binding) => {
      binding.subjects = [{ kind: 'User', name: 'me' }];
    });
    await ensureBootstrapRBAC(cluster.client);
    expect(verbs().sort()).toEqual(['update cluster-admin', 'update system:kube-dns']);
    const rules = cluster.get(resources.clusterroles, { name: 'system:kube-dns' })?.rules ?? [];
    expect(rules[0]?.resources).toEqual(['widgets']);
    expect(rules.length).toBeGreaterThan(1);
    const subjects = cluster.get(resources.clusterrolebindings, { name: 'cluster-admin' })?.subjects ?? [];
    expect(subjects.map(({ name }) => name)).toEqual(['me', 'system:masters']);
  });

  it('leaves protected objects alone, replaces a binding to another role, aggregates user roles', async () => {
    cluster.change(resources.clusterroles, { name: 'system:discovery' }, (role) => {
      role.metadata.annotations = { 'rbac.authorization.kubernetes.io/autoupdate': 'false' };
      role.rules = [];
    });
    cluster.change(resources.clusterrolebindings, { name: 'system:basic-user' }, (binding) => {
      binding.roleRef = { ...binding.roleRef, name: 'cluster-admin' };
    });
    cluster.add(resources.clusterroles, {
      metadata: { name: 'widgets', labels: { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' } },
      rules: [{ verbs: ['get'], apiGroups: ['example.com'], resources: ['widgets'] }],
    });
    await ensureBootstrapRBAC(cluster.client);
    expect(cluster.get(resources.clusterroles, { name: 'system:discovery' })?.rules).toEqual([]);
    expect(cluster.get(resources.clusterrolebindings, { name: 'system:basic-user' })?.roleRef.name).toBe(
      'system:basic-user',
    );
    for (const name of ['view', 'edit', 'admin']) {
      const rules = cluster.get(resources.clusterroles, { name })?.rules ?? [];
      expect(rules.some((rule) => rule.resources?.includes('widgets'))).toBe(true);
    }
  });
});
