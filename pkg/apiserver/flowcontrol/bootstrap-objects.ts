import type {
  FlowcontrolSubject,
  FlowSchemaSpec,
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  PriorityLevelConfigurationSpec,
  ResourcePolicyRule,
} from '../../api/generated/types.ts';
import { AUTHENTICATED_GROUP, MASTERS_GROUP, UNAUTHENTICATED_GROUP } from '../../api/user.ts';

/** While `true` (or absent on what the server made), the spec of a bootstrap object is kept as the server wants it. */
export const AUTOUPDATE = 'apf.kubernetes.io/autoupdate-spec';
export const EXEMPT = 'exempt';
export const CATCH_ALL = 'catch-all';

/** A bootstrap object: mandatory ones come back when they are deleted and keep their spec; suggested ones only as annotated. */
export interface BootstrapObject<Spec> {
  readonly name: string;
  readonly mandatory: boolean;
  readonly spec: Spec;
}

/** The priority levels of every cluster, as upstream v1.36 has them. */
export const bootstrapLevels: readonly BootstrapObject<PriorityLevelConfigurationSpec>[] = [
  {
    name: EXEMPT,
    mandatory: true,
    spec: { type: 'Exempt', exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } },
  },
  {
    name: CATCH_ALL,
    mandatory: true,
    spec: {
      type: 'Limited',
      limited: { nominalConcurrencyShares: 5, lendablePercent: 0, limitResponse: { type: 'Reject' } },
    },
  },
  level('system', { shares: 30, lendable: 33, queues: 64, handSize: 6 }),
  level('node-high', { shares: 40, lendable: 25, queues: 64, handSize: 6 }),
  level('leader-election', { shares: 10, lendable: 0, queues: 16, handSize: 4 }),
  level('workload-high', { shares: 40, lendable: 50, queues: 128, handSize: 6 }),
  level('workload-low', { shares: 100, lendable: 90, queues: 128, handSize: 6 }),
  level('global-default', { shares: 20, lendable: 50, queues: 128, handSize: 6 }),
];

const everyone = groups(UNAUTHENTICATED_GROUP, AUTHENTICATED_GROUP);
const controllerManager = user('system:kube-controller-manager');
const scheduler = user('system:kube-scheduler');
const systemAccounts = systemAccount('*');
const elections = rule('get create update', 'coordination.k8s.io', 'leases');

/** The flow schemas of every cluster, as upstream v1.36 has them. */
export const bootstrapSchemas: readonly BootstrapObject<FlowSchemaSpec>[] = [
  schema('exempt', 1, EXEMPT, undefined, [anything(groups(MASTERS_GROUP))], true),
  schema('catch-all', 10_000, CATCH_ALL, 'ByUser', [anything(everyone)], true),
  schema('probes', 2, EXEMPT, undefined, [
    { subjects: everyone, nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz', '/readyz', '/livez'] }] },
  ]),
  schema('system-leader-election', 100, 'leader-election', 'ByUser', [
    { subjects: [controllerManager, scheduler, systemAccounts], resourceRules: [elections] },
  ]),
  schema('endpoint-controller', 150, 'workload-high', 'ByUser', [
    {
      subjects: [
        controllerManager,
        systemAccount('endpoint-controller'),
        systemAccount('endpointslicemirroring-controller'),
      ],
      resourceRules: [rule('get create update', '', 'endpoints')],
    },
  ]),
  schema('workload-leader-election', 200, 'leader-election', 'ByUser', [
    { subjects: [systemAccounts], resourceRules: [elections] },
  ]),
  schema('system-node-high', 400, 'node-high', 'ByUser', [
    {
      subjects: groups('system:nodes'),
      resourceRules: [
        { ...rule('*', '', 'nodes nodes/status'), clusterScope: true },
        rule('*', 'coordination.k8s.io', 'leases'),
      ],
    },
  ]),
  schema('system-nodes', 500, 'system', 'ByUser', [anything(groups('system:nodes'))]),
  schema('kube-controller-manager', 800, 'workload-high', 'ByNamespace', [anything([controllerManager])]),
  schema('kube-scheduler', 800, 'workload-high', 'ByNamespace', [anything([scheduler])]),
  schema('kube-system-service-accounts', 900, 'workload-high', 'ByNamespace', [anything([systemAccounts])]),
  schema('service-accounts', 9000, 'workload-low', 'ByUser', [anything(groups('system:serviceaccounts'))]),
  schema('global-default', 9900, 'global-default', 'ByUser', [anything(everyone)]),
];

function level(
  name: string,
  options: { readonly shares: number; readonly lendable: number; readonly queues: number; readonly handSize: number },
): BootstrapObject<PriorityLevelConfigurationSpec> {
  const { shares, lendable, queues, handSize } = options;
  const limitResponse = { type: 'Queue', queuing: { queues, handSize, queueLengthLimit: 50 } };
  return {
    name,
    mandatory: false,
    spec: { type: 'Limited', limited: { nominalConcurrencyShares: shares, lendablePercent: lendable, limitResponse } },
  };
}

function schema(
  name: string,
  matchingPrecedence: number,
  levelName: string,
  distinguisher: 'ByUser' | 'ByNamespace' | undefined,
  rules: PolicyRulesWithSubjects[],
  mandatory = false,
): BootstrapObject<FlowSchemaSpec> {
  return {
    name,
    mandatory,
    spec: {
      priorityLevelConfiguration: { name: levelName },
      matchingPrecedence,
      ...(distinguisher === undefined ? {} : { distinguisherMethod: { type: distinguisher } }),
      rules,
    },
  };
}

function anything(subjects: FlowcontrolSubject[]): PolicyRulesWithSubjects {
  const nonResource: NonResourcePolicyRule = { verbs: ['*'], nonResourceURLs: ['*'] };
  return {
    subjects,
    resourceRules: [{ ...rule('*', '*', '*'), clusterScope: true }],
    nonResourceRules: [nonResource],
  };
}

function rule(verbs: string, group: string, kinds: string): ResourcePolicyRule {
  return { verbs: verbs.split(' '), apiGroups: [group], resources: kinds.split(' '), namespaces: ['*'] };
}

function groups(...names: string[]): FlowcontrolSubject[] {
  return names.map((name) => ({ kind: 'Group', group: { name } }));
}

function user(name: string): FlowcontrolSubject {
  return { kind: 'User', user: { name } };
}

function systemAccount(name: string): FlowcontrolSubject {
  return { kind: 'ServiceAccount', serviceAccount: { namespace: 'kube-system', name } };
}
