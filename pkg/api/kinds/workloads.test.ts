import { describe, expect, it } from 'vitest';
import type { DeepReadonly } from '../../base/json.ts';
import type { KubeObject } from '../object.ts';
import { strategies } from './index.ts';
import { create, newObject, update } from './testing.ts';

const template = {
  metadata: { labels: { app: 'x' } },
  spec: { containers: [{ name: 'main', image: 'a:1' }] },
};
const selector = { matchLabels: { app: 'x' } };
const good = { selector, template };
const badSelector = { matchLabels: { app: 'x' }, matchExpressions: [{ key: 'a', operator: 'Odd' }] };
const claim = { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: {} } } };
const withMount = {
  ...template,
  spec: { containers: [{ name: 'main', image: 'a:1', volumeMounts: [{ name: 'data', mountPath: '/d' }] }] },
};

describe('defaults of workloads', () => {
  const strategyOf = (kind: string, updateStrategy: object) =>
    (create(`apps/${kind}`, { spec: { ...good, updateStrategy } }).object.spec as Record<string, unknown>)
      .updateStrategy;

  it.each([
    ['StatefulSet', {}, { type: 'RollingUpdate', rollingUpdate: { partition: 0 } }],
    ['StatefulSet', { type: 'RollingUpdate' }, { type: 'RollingUpdate' }],
    [
      'StatefulSet',
      { type: 'RollingUpdate', rollingUpdate: {} },
      { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
    ],
    ['DaemonSet', { type: 'OnDelete' }, { type: 'OnDelete' }],
    [
      'DaemonSet',
      { type: 'OnDelete', rollingUpdate: {} },
      { type: 'OnDelete', rollingUpdate: { maxUnavailable: 0, maxSurge: 0 } },
    ],
  ])('update strategy of a %s: %j', (kind, given, expected) => {
    expect(strategyOf(kind, given)).toEqual(expected);
  });

  it('the generation of a DaemonSet template stays with its status', () => {
    const { object } = update(
      'apps/DaemonSet',
      { spec: good },
      ({ metadata }) => delete metadata.annotations,
      'status',
    );
    expect(object.metadata.annotations).toEqual({ 'deprecated.daemonset.template.generation': '1' });
  });

  it('claim templates are claims of v1', () => {
    const volumeClaimTemplates = [{ ...claim, apiVersion: 'x', kind: 'y' }];
    const { object } = create('apps/StatefulSet', { spec: { ...good, volumeClaimTemplates } });
    expect(object.spec).toMatchObject({ volumeClaimTemplates: [{ apiVersion: 'v1', kind: 'PersistentVolumeClaim' }] });
  });
});

describe('new workloads', () => {
  const cases: [kind: string, name: string, spec: object, errors: string[]][] = [
    [
      'Deployment',
      'a malformed selector hides the template',
      { selector: badSelector, template: { spec: {} } },
      ['spec.selector.matchExpressions[0].operator Invalid', 'spec.selector Invalid'],
    ],
    [
      'DaemonSet',
      'a malformed selector',
      { selector: badSelector, template },
      ['spec.selector.matchExpressions[0].operator Invalid'],
    ],
    ['DaemonSet', 'no selector', { template }, ['spec.template.metadata.labels Invalid']],
    ['DaemonSet', 'empty selector', { selector: {}, template }, ['spec.selector Invalid']],
    ['DaemonSet', 'strategy', { ...good, updateStrategy: { type: 'Odd' } }, ['spec.updateStrategy NotSupported']],
    [
      'StatefulSet',
      'claims and service name',
      { ...good, serviceName: 'A', volumeClaimTemplates: [claim] },
      ['spec.volumeClaimTemplates[0].spec.resources[storage] Required', 'spec.serviceName Invalid'],
    ],
    [
      'StatefulSet',
      'mounts of claims',
      {
        ...good,
        template: withMount,
        volumeClaimTemplates: [{ ...claim, spec: { ...claim.spec, resources: { requests: { storage: '1Gi' } } } }],
      },
      [],
    ],
    [
      'StatefulSet',
      'a field whose gate is off is not looked at',
      { ...good, updateStrategy: { rollingUpdate: { maxUnavailable: '0%' } } },
      [],
    ],
  ];

  it.each(cases)('%s: %s', (kind, _name, spec, errors) => {
    expect(create(`apps/${kind}`, { spec }).errors).toEqual(errors);
  });

  it('are named as their pods can be', () => {
    expect(strategies.get('apps/StatefulSet')?.validateName?.('a.b')).toEqual(['must not contain dots']);
    expect(strategies.get('apps/Deployment')?.validateName).toBeUndefined();
  });
});

describe('status of workloads', () => {
  const status = (kind: string, value: object, before: object = {}): string[] => {
    const key = `apps/${kind}`;
    const old = newObject(key, { spec: good, status: before });
    const object = newObject(key, { spec: good, status: value });
    const errors = strategies.get(key)?.validateUpdate?.(object, old, { nowMs: 0, subresource: 'status' }) ?? [];
    return errors.map(({ field, message }) => `${field}: ${message.replace(/^Invalid value: /, '')}`);
  };
  const cases: [kind: string, now: object, before: object, errors: string[]][] = [
    [
      'Deployment',
      { observedGeneration: -1, replicas: 1, readyReplicas: 2, terminatingReplicas: -1 },
      {},
      [
        'status.observedGeneration: -1: must be greater than or equal to 0',
        'status.terminatingReplicas: -1: must be greater than or equal to 0',
        'status.readyReplicas: 2: cannot be greater than status.replicas',
      ],
    ],
    ['Deployment', {}, { collisionCount: 1 }, ['status.collisionCount: 0: cannot be decremented']],
    [
      'ReplicaSet',
      { replicas: 2, availableReplicas: 1 },
      {},
      ['status.availableReplicas: 1: cannot be greater than readyReplicas'],
    ],
    [
      'StatefulSet',
      { replicas: 2, availableReplicas: 1 },
      {},
      ['status.availableReplicas: 1: cannot be greater than status.readyReplicas'],
    ],
    [
      'DaemonSet',
      { numberReady: -1, collisionCount: 1 },
      { collisionCount: 2 },
      ['status.numberReady: -1: must be greater than or equal to 0', 'status.collisionCount: 1: cannot be decremented'],
    ],
  ];

  it.each(cases)('%s %j', (kind, now, before, errors) => {
    expect(status(kind, now, before)).toEqual(errors);
  });
});

describe('updates of a StatefulSet', () => {
  it('do not judge again what was bad before', () => {
    const body = { spec: { ...good, serviceName: 'Bad_', template: { ...template, spec: { containers: [] } } } };
    const { errors } = update('apps/StatefulSet', body, (object) => {
      (object.spec as { replicas: number }).replicas = 3;
    });
    expect(errors).toEqual([]);
  });
});

describe('warnings', () => {
  const twice = [
    { name: 'A', value: '1' },
    { name: 'A', value: '2' },
  ];
  const spec = { ...good, template: { ...template, spec: { containers: [{ name: 'c', image: 'a:1', env: twice }] } } };
  const warn = (object: DeepReadonly<KubeObject>, old?: DeepReadonly<KubeObject>) =>
    strategies.get('apps/Deployment')?.warnings?.(object, old) ?? [];

  it('tell of names that are no labels and of templates', () => {
    const object = newObject('apps/Deployment', { metadata: { name: 'a.b' }, spec });
    expect(warn(object)).toEqual([
      'metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]',
      'spec.template.spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply',
    ]);
  });

  it('come again when the spec changes', () => {
    const old = newObject('apps/Deployment', { metadata: { generation: 1 }, spec });
    const changed = newObject('apps/Deployment', { metadata: { generation: 2 }, spec });
    expect(warn(old, old)).toEqual([]);
    expect(warn(changed, old)).toHaveLength(1);
  });

  it('of StatefulSets are about claims and history too', () => {
    const requests = { storage: '500m' };
    const volumeClaimTemplates = [{ ...claim, spec: { ...claim.spec, resources: { requests } } }];
    const object = newObject('apps/StatefulSet', { spec: { ...good, volumeClaimTemplates, revisionHistoryLimit: -1 } });
    expect(strategies.get('apps/StatefulSet')?.warnings?.(object, undefined)).toEqual([
      'spec.volumeClaimTemplates[0].resources.requests[storage]: fractional byte value "500m" is invalid, must be an integer',
      'spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended',
    ]);
  });
});
