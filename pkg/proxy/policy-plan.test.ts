import { describe, expect, test } from 'vitest';
import type { NetworkPolicySpec } from '../api/generated/types.ts';
import type { Plan } from './plan.ts';
import { type Policy, type PolicyView, planPolicedPod, planPolicy } from './policy-plan.ts';
import type { PolicyPod } from './policy-pod.ts';

function pod(namespace: string, name: string, address: string, more: Partial<PolicyPod> = {}): PolicyPod {
  return { namespace, name, labels: { app: name }, addresses: [address], ports: [], local: false, ...more };
}

const http = { name: 'http', protocol: 'TCP', port: 8080 };
const pods = [
  pod('a', 'web', '10.42.0.2', { local: true, ports: [http], addresses: ['10.42.0.2', 'fd00::2'] }),
  pod('a', 'db', '10.42.1.3', { ports: [{ ...http, port: 5432 }] }),
  pod('b', 'web', '10.42.1.4'),
  pod('b', 'far', '10.42.1.5', { ports: [http] }),
];
const view: PolicyView = {
  podsIn: (namespace) => pods.filter((one) => one.namespace === namespace),
  namespaces: () => [
    { name: 'a', labels: { team: 'a' } },
    { name: 'b', labels: { team: 'b' } },
  ],
};

function policy(spec: NetworkPolicySpec): Policy {
  return { metadata: { namespace: 'a', name: 'p' }, spec } as Policy;
}

const inSets = ({ elements }: Plan, set: string): string[] =>
  elements.filter((element) => element.set === set).map(({ key }) => key);

const ingressRules = (plan: Plan) => plan.chains.get('ingress-policy-a/p');

describe('the rules of a policy', () => {
  test.each<[string, NetworkPolicySpec['ingress'], readonly string[]]>([
    ['nothing is let in', [], []],
    ['everything is let in', [{}], ['accept']],
    [
      'ports',
      [{ ports: [{ port: 80 }, { port: 90, endPort: 99, protocol: 'UDP' }, { protocol: 'SCTP' }] }],
      ['meta l4proto tcp th dport 80 accept', 'meta l4proto udp th dport 90-99 accept', 'meta l4proto sctp accept'],
    ],
    [
      'a block with exceptions, and a port',
      [
        {
          from: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16', '10.1.2.0/24', 'fd00::/8'] } }],
          ports: [{ port: 80 }],
        },
      ],
      ['ip saddr 10.0.0.0/8 ip saddr != 10.1.0.0/16 ip saddr != 10.1.2.0/24 meta l4proto tcp th dport 80 accept'],
    ],
    ['an IPv6 block', [{ from: [{ ipBlock: { cidr: 'fd00::/8' } }] }], ['ip6 saddr fd00::/8 accept']],
    [
      'pods',
      [{ from: [{ podSelector: { matchLabels: { app: 'db' } } }] }],
      ['ip saddr @peers4-ingress-a/p/0 accept', 'ip6 saddr @peers6-ingress-a/p/0 accept'],
    ],
    [
      'a named port',
      [{ ports: [{ port: 'http' }] }],
      [
        'ip daddr . meta l4proto . th dport @ports4-ingress-a/p/0/0 accept',
        'ip6 daddr . meta l4proto . th dport @ports6-ingress-a/p/0/0 accept',
      ],
    ],
  ])('%s', (_, ingress, rules) => {
    const plan = planPolicy(policy({ podSelector: {}, policyTypes: ['Ingress'], ingress }), view);
    expect(ingressRules(plan)).toEqual(rules);
    expect(plan.chains.has('egress-policy-a/p')).toBe(false);
  });

  test.each([
    ['of its namespace', { podSelector: {} }, ['10.42.0.2', '10.42.1.3']],
    ['of its namespace by label', { podSelector: { matchLabels: { app: 'web' } } }, ['10.42.0.2']],
    ['of other namespaces', { namespaceSelector: { matchLabels: { team: 'b' } } }, ['10.42.1.4', '10.42.1.5']],
    [
      'of other namespaces by label',
      { namespaceSelector: { matchLabels: { team: 'b' } }, podSelector: { matchLabels: { app: 'web' } } },
      ['10.42.1.4'],
    ],
    ['of all namespaces', { namespaceSelector: {} }, ['10.42.0.2', '10.42.1.3', '10.42.1.4', '10.42.1.5']],
  ])('pods %s are let in', (_, peer, expected) => {
    const plan = planPolicy(policy({ podSelector: {}, policyTypes: ['Ingress'], ingress: [{ from: [peer] }] }), view);
    expect(inSets(plan, 'peers4-ingress-a/p/0')).toEqual(expected);
  });

  test('a named port is what the pod that is connected to calls so', () => {
    const ports = [{ port: 'http' }];
    const ingress = planPolicy(policy({ podSelector: {}, policyTypes: ['Ingress'], ingress: [{ ports }] }), view);
    expect(inSets(ingress, 'ports4-ingress-a/p/0/0')).toEqual(['10.42.0.2 . tcp . 8080']);
    expect(inSets(ingress, 'ports6-ingress-a/p/0/0')).toEqual(['fd00::2 . tcp . 8080']);
    const to = [{ podSelector: { matchLabels: { app: 'db' } } }];
    const egress = planPolicy(policy({ podSelector: {}, policyTypes: ['Egress'], egress: [{ to, ports }] }), view);
    expect(inSets(egress, 'ports4-egress-a/p/0/0')).toEqual(['10.42.1.3 . tcp . 5432']);
    const anywhere = planPolicy(policy({ podSelector: {}, policyTypes: ['Egress'], egress: [{ ports }] }), view);
    expect(inSets(anywhere, 'ports4-egress-a/p/0/0')).toEqual([
      '10.42.0.2 . tcp . 8080',
      '10.42.1.3 . tcp . 5432',
      '10.42.1.5 . tcp . 8080',
    ]);
  });

  test('a policy without a pod on this node is not in the table', () => {
    const plan = planPolicy(policy({ podSelector: { matchLabels: { app: 'db' } }, policyTypes: ['Ingress'] }), view);
    expect([plan.chains.size, plan.sets.size, plan.elements.length]).toEqual([0, 0, 0]);
  });
});

test('a pod takes what any of its policies accepts, and drops the rest', () => {
  const [web] = pods as [PolicyPod];
  const open = policy({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
  const other = { ...open, metadata: { ...open.metadata, name: 'q'.repeat(253) }, spec: { podSelector: {} } };
  const plan = planPolicedPod(web, [open, other]);
  expect(plan.elements).toEqual([
    { set: 'policed-ingress4', key: '10.42.0.2', data: 'goto ingress-pod-a/web' },
    { set: 'policed-ingress6', key: 'fd00::2', data: 'goto ingress-pod-a/web' },
    { set: 'policed-egress4', key: '10.42.0.2', data: 'goto egress-pod-a/web' },
    { set: 'policed-egress6', key: 'fd00::2', data: 'goto egress-pod-a/web' },
  ]);
  expect(plan.chains.get('egress-pod-a/web')).toEqual([
    'ip saddr 10.42.0.2 ip daddr 10.42.0.2 accept',
    'ip6 saddr fd00::2 ip6 daddr fd00::2 accept',
    'jump egress-policy-a/p',
    'drop',
  ]);
  const ingress = plan.chains.get('ingress-pod-a/web') ?? [];
  expect(ingress.slice(2)).toEqual([
    'jump ingress-policy-a/p',
    expect.stringMatching(/^jump ingress-policy-a\/q{100}\/[0-9a-f]{16}$/),
    'drop',
  ]);
  expect(Math.max(...[...plan.chains.keys(), ...ingress].map((name) => name.length))).toBeLessThan(200);
});
