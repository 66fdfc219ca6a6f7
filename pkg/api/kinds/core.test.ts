import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../object.ts';
import { strategies } from './index.ts';
import { create, newObject, update, warningsOf } from './testing.ts';
import { keyPairProblem } from './tls-key-pair.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('validation', () => {
  const now = '2030-01-01T00:00:00.000000Z';
  const event = { metadata: { namespace: 'n' }, involvedObject: { namespace: 'n' } };
  const fresh = { eventTime: now, reportingComponent: 'a.b/c', reportingInstance: 'i', action: 'A', reason: 'R' };
  const reported = {
    metadata: { namespace: 'n' },
    regarding: { namespace: 'n' },
    type: 'Normal',
    eventTime: now,
    reportingController: 'a.b/c',
    reportingInstance: 'i',
    action: 'A',
    reason: 'R',
  };
  const limits = (item: object): object => ({ spec: { limits: [{ type: 'Container', ...item }] } });
  const at = 'spec.limits[0]';
  const cases: [string, string, object, string[]][] = [
    [
      'secret',
      '/Secret',
      { type: 'kubernetes.io/ssh-auth', data: { 'ssh-privatekey': '' } },
      ['data[ssh-privatekey] Required'],
    ],
    [
      'docker secret',
      '/Secret',
      { type: 'kubernetes.io/dockercfg', data: { '.dockercfg': base64('[]') } },
      ['data[.dockercfg] Invalid'],
    ],
    ['large config map', '/ConfigMap', { data: { a: 'x'.repeat(1_048_577) } }, ['[] TooLong']],
    ['namespace', '/Namespace', { spec: { finalizers: ['x'] } }, ['spec.finalizers Invalid']],
    [
      'ranges of a node',
      '/Node',
      { spec: { podCIDRs: ['10.0.0.0/8', '10.0.0.0/8'] } },
      ['spec.podCIDRs Invalid', 'spec.podCIDRs[1] Duplicate'],
    ],
    [
      'amounts of a node',
      '/Node',
      { status: { capacity: { cpu: '-1', pods: '1500m' } } },
      [
        'status.capacity.cpu Invalid',
        'status.capacity.pods Invalid',
        'status.allocatable.cpu Invalid',
        'status.allocatable.pods Invalid',
      ],
    ],
    [
      'endpoints',
      '/Endpoints',
      { subsets: [{ addresses: [{ ip: 'x', hostname: 'A' }] }] },
      [
        'subsets[0].addresses[0].ip Invalid',
        'subsets[0].addresses[0].hostname Invalid',
        'subsets[0].addresses[0].ip Invalid',
      ],
    ],
    [
      'event elsewhere',
      '/Event',
      { ...event, involvedObject: { namespace: 'm' } },
      ['involvedObject.namespace Invalid'],
    ],
    [
      'event about no namespace',
      '/Event',
      { ...event, ...fresh, involvedObject: {} },
      ['involvedObject.namespace Invalid'],
    ],
    ['event about another namespace', '/Event', { ...event, ...fresh, involvedObject: { namespace: 'm' } }, []],
    [
      'event by nobody',
      '/Event',
      { ...event, ...fresh, reportingComponent: 'a b', action: 'x'.repeat(129), message: 'x'.repeat(1025) },
      ['reportingComponent Invalid', 'action Invalid', 'message Invalid'],
    ],
    ['new event', 'events.k8s.io/Event', reported, []],
    [
      'new event without a time',
      'events.k8s.io/Event',
      { ...reported, eventTime: undefined, action: '' },
      ['eventTime Required'],
    ],
    [
      'new event about nothing',
      'events.k8s.io/Event',
      { ...reported, regarding: {} },
      ['involvedObject.namespace Invalid'],
    ],
    ['limit type', '/LimitRange', limits({ type: 'Thing' }), [`${at}.type Invalid`]],
    [
      'limit of storage',
      '/LimitRange',
      limits({ max: { storage: '1' } }),
      [`${at}.max[storage] Invalid`, `${at}.default[storage] Invalid`, `${at}.defaultRequest[storage] Invalid`],
    ],
    [
      'limits in the wrong order',
      '/LimitRange',
      limits({ min: { cpu: '2' }, max: { cpu: '1' }, default: { cpu: '3' }, defaultRequest: { cpu: '4' } }),
      [
        `${at}.min[cpu] Invalid`,
        `${at}.defaultRequest[cpu] Invalid`,
        `${at}.defaultRequest[cpu] Invalid`,
        `${at}.default[cpu] Invalid`,
      ],
    ],
    [
      'ratio',
      '/LimitRange',
      limits({ min: { cpu: '1' }, max: { cpu: '2' }, maxLimitRequestRatio: { cpu: '3' } }),
      [`${at}.maxLimitRequestRatio[cpu] Invalid`],
    ],
    [
      'small ratio',
      '/LimitRange',
      limits({ maxLimitRequestRatio: { cpu: '500m' } }),
      [`${at}.maxLimitRequestRatio[cpu] Invalid`],
    ],
    [
      'limits of devices',
      '/LimitRange',
      limits({ default: { 'a.b/c': '2' }, defaultRequest: { 'a.b/c': '1' } }),
      [`${at}.defaultRequest[a.b/c] Invalid`],
    ],
    [
      'quota',
      '/ResourceQuota',
      { spec: { hard: { pods: '1500m', widgets: '1' } } },
      ['spec.hard[pods] Invalid', 'spec.hard[widgets] Invalid', 'spec.hard[widgets] Invalid'],
    ],
    [
      'scopes of a quota',
      '/ResourceQuota',
      { spec: { hard: { cpu: '1' }, scopes: ['BestEffort', 'NotBestEffort'] } },
      ['spec.scopes Invalid', 'spec.scopes Invalid'],
    ],
    [
      'selected scopes',
      '/ResourceQuota',
      {
        spec: {
          hard: { services: '1' },
          scopeSelector: {
            matchExpressions: [
              { scopeName: 'Terminating', operator: 'In', values: ['a'] },
              { scopeName: 'NotTerminating', operator: 'Exists' },
            ],
          },
        },
      },
      [
        'spec.scopeSelector.matchExpressions Invalid',
        'spec.scopeSelector.matchExpressions.operator Invalid',
        'spec.scopeSelector.matchExpressions Invalid',
        'spec.scopeSelector.matchExpressions Invalid',
      ],
    ],
  ];

  it.each(cases)('of a %s', (_name, key, body, errors) => {
    expect(create(key, body as Record<string, unknown>).errors).toEqual(errors);
  });
});

describe('defaults', () => {
  it('of a node: its one range wins over the list', () => {
    const { object } = create('/Node', { spec: { podCIDR: '10.0.0.0/24', podCIDRs: ['10.0.1.0/24', 'fd00::/64'] } });
    expect(object.spec).toEqual({ podCIDR: '10.0.0.0/24', podCIDRs: ['10.0.0.0/24'] });
  });

  it('round amounts up to thousandths', () => {
    const resources = { limits: { cpu: '100u', memory: '1500001n' }, requests: { cpu: '1n' } };
    const { object } = create('/Pod', { spec: { containers: [{ name: 'a', image: 'a', resources }] } });
    expect((object.spec as { containers: { resources: unknown }[] }).containers[0]?.resources).toEqual({
      limits: { cpu: '1m', memory: '2m' },
      requests: { cpu: '1m', memory: '2m' },
    });
    const { object: range } = create('/LimitRange', {
      spec: { limits: [{ type: 'Container', max: { cpu: '0.1005' } }] },
    });
    expect(range.spec).toMatchObject({ limits: [{ default: { cpu: '101m' } }] });
  });
});

describe('updates', () => {
  const cases: [string, string, object, string, (object: KubeObject) => unknown, string[]][] = [
    [
      'finalizers',
      '/Namespace',
      {},
      'finalize',
      (object) => Object.assign(object, { spec: { finalizers: ['a.b/c', 'x'] } }),
      ['spec.finalizers[1] Invalid'],
    ],
    [
      'addresses of a node',
      '/Node',
      {},
      'status',
      (object) =>
        Object.assign(object, {
          status: {
            addresses: [
              { type: 'A', address: '1' },
              { type: 'A', address: '1' },
            ],
          },
        }),
      ['status.addresses[1] Duplicate'],
    ],
    [
      'identity of a node',
      '/Node',
      { spec: { externalID: 'a', providerID: 'b' } },
      '',
      (object) => Object.assign(object, { spec: {} }),
      ['spec.providerID Forbidden', 'spec.externalID Forbidden'],
    ],
    [
      'order of scopes',
      '/ResourceQuota',
      { spec: { scopes: ['Terminating', 'BestEffort'] } },
      '',
      (object) => Object.assign(object, { spec: { scopes: ['BestEffort', 'Terminating'] } }),
      [],
    ],
    [
      'scopes',
      '/ResourceQuota',
      { spec: { scopes: ['BestEffort'] } },
      '',
      (object) => Object.assign(object, { spec: {} }),
      ['spec.scopes Invalid'],
    ],
    [
      'status of a quota',
      '/ResourceQuota',
      {},
      'status',
      (object) => Object.assign(object, { status: { used: { pods: '-1' } } }),
      ['status.used[pods] Invalid'],
    ],
  ];

  it.each(cases)('of %s', (_name, key, body, subresource, change, errors) => {
    const apply = (object: KubeObject): void => void change(object);
    expect(update(key, body as Record<string, unknown>, apply, subresource).errors).toEqual(errors);
  });

  it('keep nothing but names of an account’s secrets', () => {
    const { object } = create('/ServiceAccount', { secrets: [{ name: 's', namespace: 'other', kind: 'Secret' }] });
    expect(object.secrets).toEqual([{ name: 's' }]);
  });
});

describe('warnings', () => {
  const cases: [string, string, object, string[]][] = [
    [
      'accounts',
      '/ServiceAccount',
      { metadata: { annotations: { 'kubernetes.io/enforce-mountable-secrets': 'true' } } },
      [
        'metadata.annotations[kubernetes.io/enforce-mountable-secrets]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets',
      ],
    ],
    [
      'nodes',
      '/Node',
      { spec: { externalID: 'x' } },
      ['spec.externalID: this field is deprecated, and is unused by Kubernetes'],
    ],
    [
      'templates',
      '/PodTemplate',
      { template: { spec: { nodeSelector: { 'beta.kubernetes.io/os': 'a' } } } },
      ['template.spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead'],
    ],
    [
      'key pairs',
      '/Secret',
      { type: 'kubernetes.io/tls', data: { 'tls.crt': base64('x'), 'tls.key': '' } },
      ['tls: failed to find any PEM data in certificate input'],
    ],
    [
      'endpoints',
      '/Endpoints',
      { subsets: [{ addresses: [{ ip: '2001:DB8::1' }] }] },
      ['subsets[0].addresses[0].ip: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")'],
    ],
  ];

  it.each(cases)('about %s', (_name, key, body, warnings) => {
    expect(warningsOf(key, body as Record<string, unknown>)).toEqual(warnings);
  });

  const block = (type: string): string => {
    const body = createHash('sha256').update(type).digest('base64');
    return `-----BEGIN ${type}-----\n${body}\n-----END ${type}-----\n`;
  };
  it.each([
    [
      block('PRIVATE KEY'),
      '',
      'tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched',
    ],
    [
      block('A') + block('B'),
      '',
      'tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the following types: [A B]',
    ],
    [block('CERTIFICATE'), '', 'tls: failed to find any PEM data in key input'],
    [
      block('CERTIFICATE'),
      block('CERTIFICATE'),
      'tls: found a certificate rather than a key in the PEM for the private key',
    ],
    [block('CERTIFICATE'), block('RSA PRIVATE KEY'), 'x509: malformed certificate'],
  ])('about pair %#', (certificate, key, problem) => {
    expect(keyPairProblem(certificate, key)).toBe(problem);
  });
});

describe('warnings about', () => {
  const odd = 'FD00::1';
  const text = 'IPv6 address "FD00::1" should be in RFC 5952 canonical format ("fd00::1")';

  it('addresses in pods', () => {
    const spec = { dnsConfig: { nameservers: [odd] }, hostAliases: [{ ip: odd, hostnames: ['a'] }] };
    expect(warningsOf('/Pod', { spec })).toEqual([
      `spec.dnsConfig.nameservers[0]: ${text}`,
      `spec.hostAliases[0].ip: ${text}`,
    ]);
  });

  it('ranges of nodes', () => {
    expect(warningsOf('/Node', { spec: { podCIDR: '10.0.0.8/24' } })).toEqual([
      'spec.podCIDRs[0]: CIDR value "10.0.0.8/24" is ambiguous in this context (should be "10.0.0.0/24" or "10.0.0.8/32"?)',
    ]);
  });

  it.each([
    ['/Pod', { podIPs: [{ ip: odd }] }, 'status.podIPs[0].ip'],
    ['/Service', { loadBalancer: { ingress: [{ ip: odd }] } }, 'status.loadBalancer.ingress[0]'],
  ])('the status of %s', (key, status, at) => {
    expect(strategies.get(key)?.statusWarnings?.(newObject(key, { status }))).toEqual([`${at}: ${text}`]);
  });
});
