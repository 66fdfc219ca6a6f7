import { describe, expect, it } from 'vitest';
import { strategies } from './index.ts';
import { create, newObject } from './testing.ts';

const apiVersion = 'autoscaling/v2';
const key = 'autoscaling/HorizontalPodAutoscaler';
const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' };
const spec = { scaleTargetRef, maxReplicas: 2 };
const cpu = { type: 'Utilization', averageUtilization: 50 };

describe('autoscalers', () => {
  const metric = (value: object) => ({ ...spec, metrics: [value] });
  const at = 'spec.metrics[0]';
  const cases: [name: string, spec: object, errors: string[]][] = [
    ['minimal', spec, []],
    ['no metric type', metric({}), [`${at}.type Required`, `${at}.type NotSupported`, `${at}.type NotSupported`]],
    ['another source', metric({ type: 'Pods', resource: { name: 'cpu', target: cpu } }), [`${at}.pods Required`]],
    [
      'two sources',
      metric({ type: 'Resource', resource: { name: 'cpu', target: cpu }, containerResource: {} }),
      [`${at}.containerResource Forbidden`],
    ],
    [
      'object',
      metric({
        type: 'Object',
        object: { describedObject: { kind: 'a/b', name: 'x' }, metric: { name: '..' }, target: {} },
      }),
      [
        `${at}.object.describedObject.kind Invalid`,
        `${at}.object.metric.name Invalid`,
        `${at}.object.target.type Required`,
        `${at}.object.target.type Invalid`,
        `${at}.object.target.averageValue Required`,
      ],
    ],
    [
      'external with both',
      metric({
        type: 'External',
        external: { metric: { name: 'q' }, target: { type: 'Value', value: '1', averageValue: '1' } },
      }),
      [`${at}.external.target.value Forbidden`],
    ],
    [
      'container resource',
      metric({ type: 'ContainerResource', containerResource: { name: 'odd', container: 'A', target: cpu } }),
      [`${at}.containerResource.name Invalid`, `${at}.containerResource.container Invalid`],
    ],
    ['no policies', { ...spec, behavior: { scaleUp: { policies: [] } } }, ['spec.behavior.scaleUp.policies Required']],
    ['tolerance', { ...spec, behavior: { scaleUp: { tolerance: '-1' } } }, ['spec.behavior.scaleUp.tolerance Invalid']],
    [
      'group version',
      { ...spec, scaleTargetRef: { ...scaleTargetRef, apiVersion: 'a/b/c' } },
      ['spec.scaleTargetRef.apiVersion Invalid'],
    ],
  ];

  it.each(cases)('%s', (_name, body, errors) => {
    expect(create(key, { apiVersion, spec: body }).errors).toEqual(errors);
  });

  it('of v1 are judged by their meaning in v2', () => {
    const object = newObject(key, { spec: { ...spec, targetCPUUtilizationPercentage: -1 } });
    const errors = strategies.get(key)?.validate?.(object, { nowMs: 0, subresource: '' }) ?? [];
    expect(errors.map(({ field }) => field)).toEqual(['spec.metrics[0].resource.target.averageUtilization']);
    const pods = [{ type: 'Pods', pods: { metricName: 'm', targetAverageValue: '1' } }];
    const annotations = { 'autoscaling.alpha.kubernetes.io/metrics': JSON.stringify(pods) };
    const more = { ...object, metadata: { ...object.metadata, annotations } };
    const behind = strategies.get(key)?.validate?.(more, { nowMs: 0, subresource: '' }) ?? [];
    expect(behind.map(({ field }) => field)).toEqual(['spec.metrics[1].resource.target.averageUtilization']);
  });

  it('report no negative counts', () => {
    const object = newObject(key, { apiVersion, spec, status: { currentReplicas: -1, desiredReplicas: -1 } });
    const errors = strategies.get(key)?.validateUpdate?.(object, object, { nowMs: 0, subresource: 'status' }) ?? [];
    expect(errors.map(({ field }) => field)).toEqual(['status.currentReplicas', 'status.desiredReplicas']);
  });
});
