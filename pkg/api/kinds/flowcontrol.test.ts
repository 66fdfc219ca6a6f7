import { describe, expect, it } from 'vitest';
import { create } from './testing.ts';

const group = 'flowcontrol.apiserver.k8s.io';
const level = { priorityLevelConfiguration: { name: 'a' } };
const everything = { verbs: ['*'], apiGroups: ['*'], resources: ['*'], clusterScope: true };
const user = { kind: 'User', user: { name: 'u' } };

describe('flow schemas', () => {
  const at = 'spec.rules[0]';
  const rule = (value: object) => ({ ...level, rules: [value] });
  const cases: [name: string, spec: object, errors: string[]][] = [
    ['complete', rule({ subjects: [user], resourceRules: [everything] }), []],
    ['empty', {}, ['spec.priorityLevelConfiguration.name Required']],
    [
      'precedence of the exempt one',
      { ...level, matchingPrecedence: 1, distinguisherMethod: { type: 'Odd' } },
      ['spec.matchingPrecedence Invalid', 'spec.distinguisherMethod.type NotSupported'],
    ],
    ['empty rule', rule({}), [`${at}.subjects Required`, `${at} Required`]],
    [
      'subjects',
      rule({
        subjects: [
          { kind: 'Odd' },
          { kind: 'User', group: { name: 'g' } },
          { kind: 'Group', group: {} },
          { kind: 'ServiceAccount', serviceAccount: { name: 'A' } },
          { kind: 'ServiceAccount', serviceAccount: { name: '*', namespace: 'n' } },
        ],
        resourceRules: [everything],
      }),
      [
        `${at}.subjects[0].kind NotSupported`,
        `${at}.subjects[1].user Required`,
        `${at}.subjects[1].group Forbidden`,
        `${at}.subjects[2].group.name Required`,
        `${at}.subjects[3].serviceAccount.name Invalid`,
        `${at}.subjects[3].serviceAccount.namespace Required`,
      ],
    ],
    [
      'resource rules',
      rule({
        subjects: [user],
        resourceRules: [
          { verbs: ['*', 'get'], apiGroups: ['*', 'a'], namespaces: ['A'] },
          { verbs: ['odd'], apiGroups: [''], resources: ['*', 'b'] },
        ],
      }),
      [
        `${at}.resourceRules[0].verbs Invalid`,
        `${at}.resourceRules[0].apiGroups Invalid`,
        `${at}.resourceRules[0].resources Required`,
        `${at}.resourceRules[0].namespaces[0] Invalid`,
        `${at}.resourceRules[1].verbs NotSupported`,
        `${at}.resourceRules[1].resources Invalid`,
        `${at}.resourceRules[1].namespaces Required`,
      ],
    ],
    [
      'other rules',
      rule({
        subjects: [user],
        nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/', 'a', '/a b', '//a', '/*/b', ''] }],
      }),
      [1, 2, 3, 4, 5].map((i) => `${at}.nonResourceRules[0].nonResourceURLs[${i}] Invalid`),
    ],
  ];

  it.each(cases)('%s', (_name, spec, errors) => {
    expect(create(`${group}/FlowSchema`, { spec }).errors).toEqual(errors);
  });
});

describe('priority levels', () => {
  const queue = (queuing: object) => ({ type: 'Limited', limited: { limitResponse: { type: 'Queue', queuing } } });
  const response = 'spec.limited.limitResponse';
  const cases: [name: string, spec: object, errors: string[]][] = [
    ['with defaults', queue({}), []],
    ['exempt', { type: 'Exempt' }, ['spec.type Invalid']],
    ['no type', {}, ['spec.type NotSupported']],
    ['both', { ...queue({}), exempt: {} }, ['spec.exempt Forbidden']],
    ['not limited', { type: 'Limited' }, ['spec.limited Required']],
    ['no response', { type: 'Limited', limited: {} }, [`${response}.type NotSupported`]],
    ['no queues', { type: 'Limited', limited: { limitResponse: { type: 'Queue' } } }, [`${response}.queuing Required`]],
    [
      'shares',
      {
        type: 'Limited',
        limited: {
          nominalConcurrencyShares: -1,
          lendablePercent: 101,
          borrowingLimitPercent: -1,
          limitResponse: { type: 'Reject', queuing: {} },
        },
      },
      [
        'spec.limited.nominalConcurrencyShares Invalid',
        `${response}.queuing Forbidden`,
        'spec.limited.lendablePercent Invalid',
        'spec.limited.borrowingLimitPercent Invalid',
      ],
    ],
    [
      'hands',
      queue({ queues: 4, handSize: 5, queueLengthLimit: -1 }),
      [`${response}.queuing.queueLengthLimit Invalid`, `${response}.queuing.handSize Invalid`],
    ],
    ['too many hands', queue({ queues: 1024, handSize: 7 }), [`${response}.queuing.handSize Invalid`]],
    ['too many queues', queue({ queues: 10_000_001, handSize: 1 }), [`${response}.queuing.queues Invalid`]],
  ];

  it.each(cases)('%s', (_name, spec, errors) => {
    expect(create(`${group}/PriorityLevelConfiguration`, { spec }).errors).toEqual(errors);
  });
});
