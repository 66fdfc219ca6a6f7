import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Cluster, eventually, missingForE2E } from './cluster.ts';

const missing = await missingForE2E();
if (missing !== undefined) console.error(`end-to-end tests are skipped: ${missing}`);

const DEPLOYMENT = `
apiVersion: extensions/v1beta1
kind: Deployment
metadata:
  name: demo
spec:
  replicas: 2
  template:
    metadata:
      labels:
        app: demo
    spec:
      containers:
      - name: demo
        image: demo:1
        ports:
        - containerPort: 8080
`;
const INGRESS = `
apiVersion: extensions/v1beta1
kind: Ingress
metadata:
  name: demo
spec:
  rules:
  - host: demo.example.com
    http:
      paths:
      - path: /hello
        backend:
          serviceName: demo
          servicePort: 8888
`;

describe.skipIf(missing !== undefined)('versions that upstream removed', () => {
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await Cluster.start({ node: false, flags: ['--disable', 'kubelet,scheduler,deploy'] });
  });
  afterAll(() => cluster?.remove());

  test('are applied, and are the objects of their successors', async () => {
    const first = await cluster.kubectl(['apply', '-f', '-'], `${DEPLOYMENT}---${INGRESS}`);
    expect(first).toMatchObject({ code: 0 });
    expect(first.stderr).toContain('use apps/v1 Deployment');
    expect(first.stderr).toContain('use networking.k8s.io/v1 Ingress');
    expect(await cluster.apply(DEPLOYMENT)).toContain('unchanged');
    const ingress = await cluster.get<{ apiVersion: string; spec: object }>('ingress', 'demo');
    expect(ingress.apiVersion).toBe('networking.k8s.io/v1');
    expect(ingress.spec).toEqual({
      rules: [
        {
          host: 'demo.example.com',
          http: {
            paths: [
              {
                path: '/hello',
                pathType: 'ImplementationSpecific',
                backend: { service: { name: 'demo', port: { number: 8888 } } },
              },
            ],
          },
        },
      ],
    });
    const old = await cluster.get<{ spec: object; metadata: { generation: number } }>('ingresses.extensions', 'demo');
    expect(old.spec).toMatchObject({ rules: [{ http: { paths: [{ backend: { servicePort: 8888 } }] } }] });
    expect(old.metadata.generation).toBe(1);
  });

  test('come after their successors and have none of their short names', async () => {
    const get = await cluster.kubectl(['get', 'deploy,ing', '-o', 'name']);
    expect(get.stdout.split('\n').filter(Boolean)).toEqual(['deployment.apps/demo', 'ingress.networking.k8s.io/demo']);
    expect(get.stderr).toBe('');
    expect(await cluster.ok(['get', 'all', '-o', 'name'])).not.toContain('extensions');
  });

  test('scale and are rolled out', async () => {
    await cluster.ok(['scale', 'deployments.extensions', 'demo', '--replicas=1']);
    await eventually('one replica set of one', async () => {
      const { items } = await cluster.get<{ items: { spec: { replicas: number } }[] }>('replicasets', '-l', 'app=demo');
      return items.length === 1 && items[0]?.spec.replicas === 1;
    });
    expect(await cluster.ok(['delete', '-f', '-'], `${DEPLOYMENT}---${INGRESS}`)).toContain('deleted');
    expect((await cluster.kubectl(['get', 'deployments.apps', 'demo'])).code).toBe(1);
  });
});
