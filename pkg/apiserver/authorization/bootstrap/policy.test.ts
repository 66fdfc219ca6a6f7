import { describe, expect, it } from 'vitest';
import { aggregatedRules } from '../../../api/aggregated-rules.ts';
import { resources } from '../../../api/generated/resources.ts';
import type { UserInfo } from '../../../api/user.ts';
import { serviceAccountUser } from '../../authentication/service-account-user.ts';
import { RBACAuthorizer } from '../rbac.ts';
import { FakeReader } from '../testing/fake-reader.ts';
import {
  bootstrapClusterRoleBindings,
  bootstrapClusterRoles,
  bootstrapRoleBindings,
  bootstrapRoles,
} from './policy.ts';

function newCluster(): RBACAuthorizer {
  const reader = new FakeReader();
  const roles = new Map(bootstrapClusterRoles.map((role) => [role.metadata.name, role]));
  for (const name of ['view', 'edit', 'admin']) {
    const role = roles.get(name)!;
    roles.set(name, { ...role, rules: aggregatedRules(role, roles.values()) });
  }
  for (const role of roles.values()) reader.put(resources.clusterroles, role);
  for (const role of bootstrapRoles) reader.put(resources.roles, role);
  for (const binding of bootstrapClusterRoleBindings) reader.put(resources.clusterrolebindings, binding);
  for (const binding of bootstrapRoleBindings) reader.put(resources.rolebindings, binding);
  for (const name of ['admin', 'edit', 'view']) {
    reader.put(resources.rolebindings, {
      metadata: { name, namespace: 'ns' },
      roleRef: { kind: 'ClusterRole', name },
      subjects: [{ kind: 'User', name }],
    } as never);
  }
  return RBACAuthorizer.watch(reader).authorizer;
}

const authorizer = newCluster();

function allows(user: UserInfo, verb: string, target: string, namespace: string): boolean {
  const isPath = target.startsWith('/');
  const [full = '', subresource = ''] = target.split('/');
  const [resource = '', ...group] = full.split('.');
  const result = authorizer.authorize({
    user,
    isResourceRequest: !isPath,
    path: isPath ? target : '',
    verb,
    group: group.join('.'),
    version: '',
    resource,
    subresource,
    namespace,
    name: 'x',
    subpath: '',
  });
  return result.decision === 'allow';
}

const controller = (name: string): UserInfo => serviceAccountUser('kube-system', name);
const named = (username: string): UserInfo => ({ username, groups: ['system:authenticated'] });

describe('the bootstrap policy', () => {
  const needs: readonly (readonly [UserInfo, string, readonly string[]])[] = [
    [controller('namespace-controller'), 'list watch delete get', ['namespaces', 'widgets.example.com']],
    [controller('namespace-controller'), 'update', ['namespaces/finalize', 'namespaces/status']],
    [controller('namespace-controller'), 'deletecollection', ['pods', 'deployments.apps']],
    [controller('service-account-controller'), 'create', ['serviceaccounts']],
    [controller('root-ca-cert-publisher'), 'create update', ['configmaps']],
    [controller('deployment-controller'), 'get list watch update', ['deployments.apps', 'pods']],
    [controller('deployment-controller'), 'update', ['deployments.apps/status']],
    [controller('deployment-controller'), 'create update patch delete', ['replicasets.apps']],
    [controller('replicaset-controller'), 'list watch create delete patch', ['pods']],
    [controller('replicaset-controller'), 'update', ['replicasets.apps/status']],
    [controller('endpoint-controller'), 'create update delete', ['endpoints']],
    [controller('endpointslice-controller'), 'create update delete list watch', ['endpointslices.discovery.k8s.io']],
    [controller('generic-garbage-collector'), 'list watch get patch delete', ['pods', 'widgets.example.com']],
    [controller('pod-garbage-collector'), 'list watch delete', ['pods']],
    [controller('node-controller'), 'update patch', ['nodes', 'nodes/status', 'pods/status']],
    [controller('node-controller'), 'list watch', ['pods', 'nodes']],
    [controller('daemon-set-controller'), 'create delete patch', ['pods']],
    [controller('statefulset-controller'), 'create', ['pods', 'persistentvolumeclaims', 'controllerrevisions.apps']],
    [controller('job-controller'), 'create delete patch', ['pods']],
    [controller('cronjob-controller'), 'create delete', ['jobs.batch']],
    [controller('horizontal-pod-autoscaler'), 'get update', ['deployments.apps/scale']],
    [controller('clusterrole-aggregation-controller'), 'escalate patch', ['clusterroles.rbac.authorization.k8s.io']],
    [named('system:kube-controller-manager'), 'list watch', ['secrets', 'pods', 'widgets.example.com']],
    [
      named('system:kube-scheduler'),
      'list watch',
      ['pods', 'nodes', 'persistentvolumes', 'storageclasses.storage.k8s.io'],
    ],
    [named('system:kube-scheduler'), 'create', ['pods/binding', 'events', 'events.events.k8s.io']],
    [named('system:kube-scheduler'), 'patch', ['pods/status', 'events.events.k8s.io']],
    [named('system:kube-scheduler'), 'delete', ['pods']],
    [named('system:kube-proxy'), 'list watch', ['services', 'endpointslices.discovery.k8s.io', 'nodes']],
    [named('kube-lite:dns'), 'list watch', ['services', 'endpointslices.discovery.k8s.io', 'pods', 'namespaces']],
    [named('kube-lite:network'), 'list watch', ['networkpolicies.networking.k8s.io', 'pods', 'namespaces', 'nodes']],
    [named('kube-lite:ingress'), 'list watch', ['ingresses.networking.k8s.io', 'secrets', 'services']],
    [named('kube-lite:service-load-balancer'), 'patch', ['services/status']],
    [named('kube-apiserver-kubelet-client'), 'get create', ['nodes/proxy', 'nodes/log', 'nodes/stats']],
    [named('kube-apiserver-kubelet-client'), 'get create', ['nodes/statusz', 'nodes/checkpoint', 'nodes/configz']],
    [named('view'), 'get list watch', ['pods', 'pods/log', 'configmaps', 'deployments.apps']],
    [named('edit'), 'create delete', ['pods', 'secrets', 'deployments.apps', 'pods/exec']],
    [named('edit'), 'get', ['pods/log', 'secrets']],
    [
      named('admin'),
      'create',
      ['roles.rbac.authorization.k8s.io', 'pods', 'localsubjectaccessreviews.authorization.k8s.io'],
    ],
  ];
  it.each(needs.map(([user, verbs, targets]) => [user.username, verbs, targets.join(' '), user, targets] as const))(
    'lets %s %s %s',
    (_, verbs, __, user, targets) => {
      for (const verb of verbs.split(' '))
        for (const target of targets)
          expect([verb, target, allows(user, verb, target, 'ns')]).toEqual([verb, target, true]);
    },
  );

  const refused: readonly (readonly [UserInfo, string, string])[] = [
    [named('view'), 'get', 'secrets'],
    [named('view'), 'create', 'pods'],
    [named('view'), 'create', 'pods/exec'],
    [named('edit'), 'create', 'roles.rbac.authorization.k8s.io'],
    [named('edit'), 'update', 'endpoints'],
    [named('admin'), 'update', 'resourcequotas'],
    [named('system:kube-scheduler'), 'get', 'secrets'],
    [controller('replicaset-controller'), 'get', 'secrets'],
    [{ username: 'system:node:a', groups: ['system:nodes'] }, 'get', 'secrets'],
    [{ username: 'system:anonymous', groups: ['system:unauthenticated'] }, 'get', '/api'],
    [{ username: 'system:anonymous', groups: ['system:unauthenticated'] }, 'get', '/metrics'],
    [named('someone'), 'list', 'pods'],
  ];
  it.each(refused.map(([user, verb, target]) => [user.username, verb, target, user] as const))(
    'does not let %s %s %s',
    (_, verb, target, user) => expect(allows(user, verb, target, 'ns')).toBe(false),
  );

  it('lets everyone see health and version, and every known user the API', () => {
    const anonymous: UserInfo = { username: 'system:anonymous', groups: ['system:unauthenticated'] };
    for (const path of ['/healthz', '/livez', '/readyz', '/version'])
      expect(allows(anonymous, 'get', path, '')).toBe(true);
    for (const path of ['/api', '/apis/apps/v1', '/openapi/v3']) expect(allows(named('x'), 'get', path, '')).toBe(true);
    expect(allows(named('x'), 'create', 'selfsubjectaccessreviews.authorization.k8s.io', '')).toBe(true);
  });

  it('binds only roles that exist, and names nothing twice', () => {
    const clusterRoles = new Set(bootstrapClusterRoles.map((role) => role.metadata.name));
    expect(clusterRoles.size).toBe(bootstrapClusterRoles.length);
    for (const binding of bootstrapClusterRoleBindings) expect(clusterRoles).toContain(binding.roleRef.name);
    const roles = new Set(bootstrapRoles.map((role) => `${role.metadata.namespace}/${role.metadata.name}`));
    for (const binding of bootstrapRoleBindings)
      expect(roles).toContain(`${binding.metadata.namespace}/${binding.roleRef.name}`);
  });
});
