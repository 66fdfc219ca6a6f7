import { describe, expect, it } from 'vitest';
import { create, update } from './testing.ts';

const apiVersion = 'extensions/v1beta1';
const template = { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'c', image: 'a:1' }] } };

describe('extensions/v1beta1', () => {
  it('Deployments select what their template has', () => {
    const { object, errors } = create('extensions/Deployment', { apiVersion, spec: { template } });
    expect(errors).toEqual([]);
    expect(object.metadata.labels).toEqual({ app: 'x' });
    expect(object.spec).toMatchObject({
      replicas: 1,
      selector: { matchLabels: { app: 'x' } },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } },
      revisionHistoryLimit: 2_147_483_647,
      progressDeadlineSeconds: 2_147_483_647,
    });
  });

  it('Deployments may change what they select', () => {
    const { errors } = update('extensions/Deployment', { apiVersion, spec: { template } }, (object) => {
      object.spec = {
        selector: { matchLabels: { app: 'y' } },
        template: { ...template, metadata: { labels: { app: 'y' } } },
      };
    });
    expect(errors).toEqual([]);
  });

  it('Ingresses are judged as those of networking.k8s.io', () => {
    const rules = (backend: object) => [{ host: 'a.b', http: { paths: [{ path: '/hello', backend }] } }];
    const good = create('extensions/Ingress', {
      apiVersion,
      spec: { rules: rules({ serviceName: 'web', servicePort: 8888 }) },
    });
    expect(good.errors).toEqual([]);
    expect(good.object.spec).toMatchObject({
      rules: [{ http: { paths: [{ pathType: 'ImplementationSpecific', backend: { servicePort: 8888 } }] } }],
    });
    const bad = create('extensions/Ingress', { apiVersion, spec: { rules: rules({}) } });
    expect(bad.errors).toEqual(['spec.rules[0].http.paths[0].backend Invalid']);
  });
});
