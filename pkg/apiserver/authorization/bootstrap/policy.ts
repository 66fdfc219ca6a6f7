/** The whole bootstrap policy: every role and binding that a new cluster has (upstream's bootstrappolicy, v1.36). */
import type { ClusterRole, ClusterRoleBinding, Role, RoleBinding } from '../../../api/generated/types.ts';
import type { Draft } from '../../../api/object.ts';
import { AUTHENTICATED_GROUP, MASTERS_GROUP, UNAUTHENTICATED_GROUP } from '../../../api/user.ts';
import { KUBELET_CLIENT_USER } from '../../../pki/index.ts';
import { controllerRules } from './controller-roles.ts';
import { account, allow, binding, clusterBinding, clusterRole, EVENTS, group, READ, role, user } from './rule.ts';
import { systemRoles } from './system-roles.ts';
import { userRoles } from './user-roles.ts';

const KUBE_SYSTEM = 'kube-system';
const KUBE_PUBLIC = 'kube-public';
const CONTROLLER_MANAGER = 'system:kube-controller-manager';
const SCHEDULER = 'system:kube-scheduler';
const SERVICE_ACCOUNTS = 'system:serviceaccounts';
const BOOTSTRAPPERS = 'system:bootstrappers';
const NODES = 'system:nodes';

export const bootstrapNamespaces: readonly string[] = [KUBE_SYSTEM, KUBE_PUBLIC];

export const bootstrapClusterRoles: readonly Draft<ClusterRole>[] = [
  ...userRoles.map(clusterRole),
  ...systemRoles.map(clusterRole),
  ...Object.entries(controllerRules).map(([name, rules]) => clusterRole({ name: `system:controller:${name}`, rules })),
];

export const bootstrapClusterRoleBindings: readonly Draft<ClusterRoleBinding>[] = [
  clusterBinding('cluster-admin', 'cluster-admin', [group(MASTERS_GROUP)]),
  clusterBinding('system:monitoring', 'system:monitoring', [group('system:monitoring')]),
  clusterBinding('system:discovery', 'system:discovery', [group(AUTHENTICATED_GROUP)]),
  clusterBinding('system:basic-user', 'system:basic-user', [group(AUTHENTICATED_GROUP)]),
  clusterBinding('system:public-info-viewer', 'system:public-info-viewer', [
    group(AUTHENTICATED_GROUP),
    group(UNAUTHENTICATED_GROUP),
  ]),
  clusterBinding('system:node-proxier', 'system:node-proxier', [user('system:kube-proxy')]),
  clusterBinding(CONTROLLER_MANAGER, CONTROLLER_MANAGER, [user(CONTROLLER_MANAGER)]),
  clusterBinding('system:kube-dns', 'system:kube-dns', [account('kube-dns')]),
  clusterBinding(SCHEDULER, SCHEDULER, [user(SCHEDULER)]),
  clusterBinding('system:volume-scheduler', 'system:volume-scheduler', [user(SCHEDULER)]),
  // Without subjects: nodes get these rules from the Node authorizer.
  clusterBinding('system:node', 'system:node', []),
  clusterBinding('system:service-account-issuer-discovery', 'system:service-account-issuer-discovery', [
    group(SERVICE_ACCOUNTS),
  ]),
  clusterBinding('system:cluster-trust-bundle-discovery', 'system:cluster-trust-bundle-discovery', [
    group(SERVICE_ACCOUNTS),
  ]),
  ...Object.keys(controllerRules).map((name) =>
    clusterBinding(`system:controller:${name}`, `system:controller:${name}`, [account(name)]),
  ),
  clusterBinding('kube-lite:apiserver-kubelet-client', 'system:kubelet-api-admin', [user(KUBELET_CLIENT_USER)]),
  clusterBinding('kube-lite:kubelet-pages', 'kube-lite:kubelet-pages', [user(KUBELET_CLIENT_USER)]),
  // Machines on their way to becoming nodes, and nodes, whose certificates are approved without a person.
  clusterBinding('kube-lite:node-bootstrapper', 'system:node-bootstrapper', [group(BOOTSTRAPPERS)]),
  clusterBinding(
    'kube-lite:approve-node-client-certificates',
    'system:certificates.k8s.io:certificatesigningrequests:nodeclient',
    [group(BOOTSTRAPPERS)],
  ),
  clusterBinding(
    'kube-lite:approve-node-client-certificate-renewals',
    'system:certificates.k8s.io:certificatesigningrequests:selfnodeclient',
    [group(NODES)],
  ),
  clusterBinding('kube-lite:node-network', 'kube-lite:node-network', [group(NODES)]),
  ...['dns', 'network', 'ingress', 'service-load-balancer'].map((name) =>
    clusterBinding(`kube-lite:${name}`, `kube-lite:${name}`, [user(`kube-lite:${name}`)]),
  ),
];

export const bootstrapRoles: readonly Draft<Role>[] = [
  role(KUBE_SYSTEM, {
    name: 'extension-apiserver-authentication-reader',
    rules: [allow(READ, 'core', 'configmaps', 'extension-apiserver-authentication')],
  }),
  role(KUBE_SYSTEM, { name: 'system:controller:bootstrap-signer', rules: [allow(READ, 'core', 'secrets')] }),
  role(KUBE_SYSTEM, { name: 'kube-lite:cluster', rules: [allow('get', 'core', 'configmaps', 'kube-lite-cluster')] }),
  role(KUBE_SYSTEM, { name: 'kube-lite:dns', rules: [allow(READ, 'core', 'configmaps', 'kube-dns')] }),
  role(KUBE_SYSTEM, {
    name: 'system:controller:cloud-provider',
    rules: [allow('create get list watch', 'core', 'configmaps')],
  }),
  role(KUBE_SYSTEM, {
    name: 'system:controller:token-cleaner',
    rules: [allow('delete get list watch', 'core', 'secrets'), EVENTS],
  }),
  ...['kube-controller-manager', 'kube-scheduler'].map((name) =>
    role(KUBE_SYSTEM, {
      name: `system::leader-locking-${name}`,
      rules: ['leases', 'leasecandidates'].map((one) =>
        allow('create get list update watch', 'coordination.k8s.io', one),
      ),
    }),
  ),
  role(KUBE_PUBLIC, {
    name: 'system:controller:bootstrap-signer',
    rules: [allow(READ, 'core', 'configmaps'), allow('update', 'core', 'configmaps', 'cluster-info'), EVENTS],
  }),
];

export const bootstrapRoleBindings: readonly Draft<RoleBinding>[] = [
  binding(
    KUBE_SYSTEM,
    'system::extension-apiserver-authentication-reader',
    'extension-apiserver-authentication-reader',
    [user(CONTROLLER_MANAGER), user(SCHEDULER)],
  ),
  ...['kube-controller-manager', 'kube-scheduler'].map((name) =>
    binding(KUBE_SYSTEM, `system::leader-locking-${name}`, `system::leader-locking-${name}`, [
      user(`system:${name}`),
      account(name),
      ...(name === 'kube-controller-manager' ? [account('leader-election-controller')] : []),
    ]),
  ),
  ...['bootstrap-signer', 'cloud-provider', 'token-cleaner'].map((name) =>
    binding(KUBE_SYSTEM, `system:controller:${name}`, `system:controller:${name}`, [account(name)]),
  ),
  binding(KUBE_SYSTEM, 'kube-lite:cluster', 'kube-lite:cluster', [group(NODES)]),
  binding(KUBE_SYSTEM, 'kube-lite:dns', 'kube-lite:dns', [user('kube-lite:dns'), group(NODES)]),
  binding(KUBE_PUBLIC, 'system:controller:bootstrap-signer', 'system:controller:bootstrap-signer', [
    account('bootstrap-signer'),
  ]),
];
