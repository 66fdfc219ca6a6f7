/** ClusterRoles of the system's own components, as upstream has them. */
import type { Rule } from '../policy-rule.ts';
import { allow, allowPaths, EVENTS, READ, READ_WRITE, type RoleEntry } from './rule.ts';

const DELEGATED_AUTH = [
  allow('create', 'authentication.k8s.io', 'tokenreviews'),
  allow('create', 'authorization.k8s.io', 'subjectaccessreviews'),
];

/** What every node may do whatever runs on it; the Node authorizer adds what its own pods refer to. */
export const nodeRules: readonly Rule[] = [
  allow('create', 'authentication.k8s.io', 'tokenreviews'),
  allow('create', 'authorization.k8s.io', 'localsubjectaccessreviews subjectaccessreviews'),
  allow(READ, 'core', 'services'),
  allow('create get list watch', 'core', 'nodes'),
  allow('patch update', 'core', 'nodes/status'),
  allow('patch update', 'core', 'nodes'),
  allow('create patch update', 'core events.k8s.io', 'events'),
  allow(READ, 'core', 'pods'),
  allow('create delete', 'core', 'pods'),
  allow('patch update', 'core', 'pods/status'),
  allow('create', 'core', 'pods/eviction'),
  allow(READ, 'core', 'configmaps secrets'),
  allow('get', 'core', 'persistentvolumeclaims persistentvolumes'),
  allow('get', 'core', 'endpoints'),
  allow('create get list watch', 'certificates.k8s.io', 'certificatesigningrequests'),
  allow('create delete get patch update', 'coordination.k8s.io', 'leases'),
  allow('get', 'storage.k8s.io', 'volumeattachments'),
  allow('create', 'core', 'serviceaccounts/token'),
  allow('get patch update', 'core', 'persistentvolumeclaims/status'),
  allow(READ, 'storage.k8s.io', 'csidrivers'),
  allow('create delete get patch update', 'storage.k8s.io', 'csinodes'),
  allow(READ, 'node.k8s.io', 'runtimeclasses'),
  allow('get', 'resource.k8s.io', 'resourceclaims'),
  allow('deletecollection', 'resource.k8s.io', 'resourceslices'),
  allow('create delete get list patch update watch', 'resource.k8s.io', 'resourceslices'),
  allow(READ, 'certificates.k8s.io', 'clustertrustbundles'),
  allow('create get list watch', 'certificates.k8s.io', 'podcertificaterequests'),
  allow('get', 'core', 'serviceaccounts'),
];

const signerApprover = (signer: string): RoleEntry => ({
  name: `system:certificates.k8s.io:${signer}-approver`,
  rules: [allow('approve', 'certificates.k8s.io', 'signers', `kubernetes.io/${signer}`)],
});

const nodeRequest = (kind: string): RoleEntry => ({
  name: `system:certificates.k8s.io:certificatesigningrequests:${kind}`,
  rules: [allow('create', 'certificates.k8s.io', `certificatesigningrequests/${kind}`)],
});

export const systemRoles: readonly RoleEntry[] = [
  { name: 'system:auth-delegator', rules: DELEGATED_AUTH },
  nodeRequest('nodeclient'),
  nodeRequest('selfnodeclient'),
  signerApprover('kube-apiserver-client'),
  signerApprover('kube-apiserver-client-kubelet'),
  signerApprover('kubelet-serving'),
  signerApprover('legacy-unknown'),
  {
    name: 'system:cluster-trust-bundle-discovery',
    rules: [allow(READ, 'certificates.k8s.io', 'clustertrustbundles')],
  },
  {
    name: 'system:heapster',
    rules: [allow(READ, 'core', 'events namespaces nodes pods'), allow(READ, 'extensions', 'deployments')],
  },
  { name: 'system:kube-aggregator', rules: [allow(READ, 'core', 'endpoints services')] },
  {
    name: 'system:kube-controller-manager',
    rules: [
      EVENTS,
      allow('create', 'coordination.k8s.io', 'leases'),
      allow('get update', 'coordination.k8s.io', 'leases', 'kube-controller-manager'),
      allow('create', 'core', 'secrets serviceaccounts'),
      allow('delete', 'core', 'secrets'),
      allow('get', 'core', 'configmaps namespaces secrets serviceaccounts'),
      allow('update', 'core', 'secrets serviceaccounts'),
      ...DELEGATED_AUTH,
      allow('list watch', '*', '*'),
      allow('create', 'core', 'serviceaccounts/token'),
    ],
  },
  { name: 'system:kube-dns', rules: [allow('list watch', 'core', 'endpoints services')] },
  {
    name: 'system:kube-scheduler',
    rules: [
      EVENTS,
      allow('create', 'coordination.k8s.io', 'leases'),
      allow('get list update watch', 'coordination.k8s.io', 'leases', 'kube-scheduler'),
      allow(READ_WRITE, 'coordination.k8s.io', 'leasecandidates'),
      allow(READ, 'core', 'nodes'),
      allow('delete get list watch', 'core', 'pods'),
      allow('create', 'core', 'bindings pods/binding'),
      allow('patch update', 'core', 'pods/status'),
      allow(READ, 'core', 'replicationcontrollers services'),
      allow(READ, 'apps extensions', 'replicasets'),
      allow(READ, 'apps', 'statefulsets'),
      allow(READ, 'policy', 'poddisruptionbudgets'),
      allow(READ, 'core', 'persistentvolumeclaims persistentvolumes'),
      ...DELEGATED_AUTH,
      allow(READ, 'storage.k8s.io', 'csinodes'),
      allow(READ, 'core', 'namespaces'),
      allow(READ, 'storage.k8s.io', 'csidrivers csistoragecapacities volumeattachments'),
      allow(READ, 'resource.k8s.io', 'deviceclasses resourceslices'),
      allow('get list patch update watch', 'resource.k8s.io', 'resourceclaims'),
      allow('get list patch update watch', 'resource.k8s.io', 'resourceclaims/status'),
      allow('patch update', 'resource.k8s.io', 'resourceclaims/binding'),
      // For extended resources that devices stand for.
      allow('create delete', 'resource.k8s.io', 'resourceclaims'),
      allow('update', 'core', 'pods/finalizers'),
      allow(READ, 'resource.k8s.io', 'devicetaintrules'),
    ],
  },
  {
    name: 'system:kubelet-api-admin',
    rules: [
      allow('get list watch', 'core', 'nodes'),
      allow('proxy', 'core', 'nodes'),
      allow('*', 'core', 'nodes/log nodes/metrics nodes/proxy nodes/stats'),
      allow('*', 'core', 'nodes/configz nodes/healthz nodes/pods'),
    ],
  },
  { name: 'system:node', rules: nodeRules },
  {
    name: 'system:node-bootstrapper',
    rules: [allow('create get list watch', 'certificates.k8s.io', 'certificatesigningrequests')],
  },
  {
    name: 'system:node-problem-detector',
    rules: [allow('get', 'core', 'nodes'), allow('patch', 'core', 'nodes/status'), EVENTS],
  },
  {
    name: 'system:node-proxier',
    rules: [
      allow('list watch', 'core', 'endpoints services'),
      allow('get list watch', 'core', 'nodes'),
      EVENTS,
      allow('list watch', 'discovery.k8s.io', 'endpointslices'),
      allow('list watch', 'networking.k8s.io', 'servicecidrs'),
    ],
  },
  {
    name: 'system:persistent-volume-provisioner',
    rules: [
      allow('create delete get list watch', 'core', 'persistentvolumes'),
      allow('get list update watch', 'core', 'persistentvolumeclaims'),
      allow(READ, 'storage.k8s.io', 'storageclasses'),
      allow('watch', 'core', 'events'),
      EVENTS,
    ],
  },
  {
    name: 'system:service-account-issuer-discovery',
    rules: [
      allowPaths(
        'get',
        '/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/',
      ),
    ],
  },
  {
    name: 'system:volume-scheduler',
    rules: [
      allow('get list patch update watch', 'core', 'persistentvolumes'),
      allow(READ, 'storage.k8s.io', 'storageclasses'),
      allow('get list patch update watch', 'core', 'persistentvolumeclaims'),
    ],
  },
  /* What kube-lite has beside upstream's components. */
  {
    // What kubelets serve beside it; upstream's server asks them as an administrator.
    name: 'kube-lite:kubelet-pages',
    rules: [allow('*', 'core', 'nodes/checkpoint nodes/statusz')],
  },
  {
    name: 'kube-lite:dns',
    rules: [
      allow(READ, 'core', 'endpoints namespaces nodes pods services'),
      allow(READ, 'discovery.k8s.io', 'endpointslices'),
    ],
  },
  {
    name: 'kube-lite:network',
    rules: [
      allow(READ, 'core', 'namespaces nodes pods services'),
      allow('patch update', 'core', 'nodes nodes/status'),
      allow(READ, 'discovery.k8s.io', 'endpointslices'),
      allow(READ, 'networking.k8s.io', 'networkpolicies servicecidrs'),
      EVENTS,
    ],
  },
  {
    // What the proxy, DNS, pod network and ingress of an agent read; the Node authorizer shows a node its own objects only.
    name: 'kube-lite:node-network',
    rules: [
      allow(READ, 'core', 'endpoints namespaces nodes pods services'),
      allow(READ, 'discovery.k8s.io', 'endpointslices'),
      allow(READ, 'networking.k8s.io', 'ingressclasses ingresses networkpolicies servicecidrs'),
    ],
  },
  {
    name: 'kube-lite:ingress',
    rules: [
      allow(READ, 'core', 'namespaces nodes secrets services'),
      allow(READ, 'discovery.k8s.io', 'endpointslices'),
      allow(READ, 'networking.k8s.io', 'ingressclasses ingresses'),
      allow('patch update', 'networking.k8s.io', 'ingresses/status'),
      EVENTS,
    ],
  },
  {
    name: 'kube-lite:service-load-balancer',
    rules: [allow(READ, 'core', 'nodes services'), allow('patch update', 'core', 'services services/status'), EVENTS],
  },
];
