import { describe, expect, it } from 'vitest';
import type { PodTemplateSpec } from '../api/generated/types.ts';
import {
  byRevision,
  nextRevision,
  type ReadRevision,
  revisionData,
  sameRevisionData,
  templateOf,
} from './revision-history.ts';

const template = {
  spec: {
    restartPolicy: 'Always',
    containers: [{ name: 'app', image: 'web:1', args: ['a && b'], resources: {} }],
    volumes: [
      { name: 'v', emptyDir: {} },
      {
        name: 'e',
        ephemeral: {
          volumeClaimTemplate: {
            spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
          },
        },
      },
    ],
  },
  metadata: { labels: { b: '2', a: '1' } },
} as unknown as PodTemplateSpec;

const revisionOf = (data: unknown): ReadRevision => ({ metadata: { name: 'r' }, revision: 1, data }) as never;

describe('the data of a ControllerRevision', () => {
  it("is the text that Go's encoder makes of the patch, which clients compare byte by byte", () => {
    expect(JSON.stringify(revisionData(template))).toBe(
      '{"spec":{"template":{"$patch":"replace","metadata":{"creationTimestamp":null,"labels":{"a":"1","b":"2"}},' +
        '"spec":{"containers":[{"args":["a && b"],"image":"web:1","name":"app","resources":{}}],"restartPolicy":"Always",' +
        '"volumes":[{"emptyDir":{},"name":"v"},{"ephemeral":{"volumeClaimTemplate":{"metadata":{"creationTimestamp":null},' +
        '"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}}},"name":"e"}]}}}}',
    );
  });

  it('gives the template back', () => {
    const ephemeral = { ...template.spec?.volumes?.[1]?.ephemeral?.volumeClaimTemplate, metadata: {} };
    const volumes = [template.spec?.volumes?.[0], { name: 'e', ephemeral: { volumeClaimTemplate: ephemeral } }];
    expect(templateOf(revisionOf(revisionData(template)))).toEqual({
      ...template,
      spec: { ...template.spec, volumes },
    });
  });

  it('is the same whatever the order of members and whether the zero time is said', () => {
    const unordered = { spec: { template: { ...template, $patch: 'replace' } } };
    const simple = { metadata: template.metadata, spec: { containers: [] } } as unknown as PodTemplateSpec;
    const said = { spec: { template: { spec: { containers: [] }, metadata: template.metadata, $patch: 'replace' } } };
    expect(sameRevisionData(revisionOf(said), revisionData(simple))).toBe(true);
    expect(sameRevisionData(revisionOf(unordered), revisionData(simple))).toBe(false);
  });
});

describe('the numbers of ControllerRevisions', () => {
  const numbered = (revision: number | bigint): ReadRevision =>
    ({ metadata: { name: String(revision), creationTimestamp: '' }, revision }) as never;

  it.each<[readonly (number | bigint)[], number | bigint]>([
    [[], 1],
    [[2, 1], 3],
    [[3546343826724305832n, 1], 3546343826724305833n],
    [[Number.MAX_SAFE_INTEGER], 2n ** 53n],
  ])('after %s comes %s', (numbers, next) => {
    expect(nextRevision(numbers.map(numbered))).toBe(next);
  });

  it('order revisions, however large', () => {
    const sorted = [3546343826724305833n, 2, 3546343826724305832n].map(numbered).sort(byRevision);
    expect(sorted.map(({ revision }) => revision)).toEqual([2, 3546343826724305832n, 3546343826724305833n]);
  });
});
