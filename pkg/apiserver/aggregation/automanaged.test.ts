import { describe, expect, test } from 'vitest';
import type { APIService, CustomResourceDefinition } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../base/json.ts';
import { AUTOMANAGED, planService, wantedServices } from './automanaged.ts';

const crd = {
  spec: {
    group: 'example.com',
    versions: [
      { name: 'v1', served: true },
      { name: 'v1beta1', served: false },
    ],
  },
} as unknown as DeepReadonly<CustomResourceDefinition>;

test('every version that is served has an APIService', () => {
  const builtin = [
    { group: '', version: 'v1' },
    { group: 'apps', version: 'v1' },
    { group: 'apps', version: 'v1' },
    { group: 'autoscaling', version: 'v2' },
    { group: 'apiregistration.k8s.io', version: 'v1' },
    { group: 'resource.k8s.io', version: 'v1beta1' },
  ];
  const rows = [...wantedServices(builtin, [crd]).values()].map(({ name, managed, spec }) => [
    name,
    managed,
    spec?.groupPriorityMinimum,
    spec?.versionPriority,
  ]);
  expect(rows).toEqual([
    ['v1.', 'onstart', 18_000, 1],
    ['v1.apps', 'onstart', 17_800, 15],
    ['v2.autoscaling', 'onstart', 17_500, 30],
    ['v1beta1.resource.k8s.io', 'onstart', 16_200, 9],
    ['v1.example.com', 'true', 1000, 100],
  ]);
});

describe('an APIService', () => {
  const wanted = wantedServices([{ group: 'apps', version: 'v1' }], [crd]);
  const own = wanted.get('v1.apps');
  const custom = wanted.get('v1.example.com');
  const existing = (label: string | undefined, spec: object | undefined) =>
    ({
      metadata: { name: 'x', ...(label === undefined ? {} : { labels: { [AUTOMANAGED]: label } }) },
      spec,
    }) as unknown as DeepReadonly<APIService>;

  test.each([
    ['is created at the start', own, undefined, true, 'create'],
    ['is not created again when a user deleted it', own, undefined, false, 'none'],
    ['of a CRD is always there', custom, undefined, false, 'create'],
    ['is left alone without the label', own, existing(undefined, {}), true, 'none'],
    ['is mended at the start', own, existing('onstart', {}), true, 'update'],
    ['is the users later', own, existing('onstart', {}), false, 'none'],
    ['of a CRD is mended at any time', custom, existing('true', {}), false, 'update'],
    ['that is right stays', custom, existing('true', custom?.spec), false, 'none'],
    ['of a CRD that is gone goes', undefined, existing('true', {}), false, 'delete'],
    ['of a version that is no longer built in goes at the start', undefined, existing('onstart', {}), true, 'delete'],
    ['of somebody else stays', undefined, existing(undefined, {}), true, 'none'],
  ] as const)('%s', (_what, want, have, isStart, step) => {
    expect(planService(want, have, isStart)).toBe(step);
  });
});
