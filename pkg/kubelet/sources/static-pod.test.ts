import { expect, test } from 'vitest';
import { manifestObjects, staticPod } from './static-pod.ts';

const origin = { path: '/manifests/web.yaml', nodeName: 'node-1', nowMs: 0 };
const pod = (metadata: object, spec: object = {}): Record<string, unknown> => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', ...metadata },
  spec: { containers: [{ name: 'c', image: 'i:1' }], ...spec },
});
const volume = (source: object): object => ({ volumes: [{ name: 'v', ...source }] });
const projected = (source: object): object => volume({ projected: { sources: [source] } });

test('a static pod has a name, an identity and a place of its node', () => {
  const { metadata, spec } = staticPod(pod({ annotations: { a: 'b' } }), origin);
  expect(metadata).toMatchObject({
    name: 'web-node-1',
    namespace: 'default',
    uid: expect.stringMatching(/^[0-9a-f]{32}$/),
  });
  expect(metadata.annotations).toEqual({
    a: 'b',
    'kubernetes.io/config.hash': metadata.uid,
    'kubernetes.io/config.seen': '1970-01-01T00:00:00.000Z',
    'kubernetes.io/config.source': 'file',
  });
  expect(spec).toMatchObject({
    nodeName: 'node-1',
    restartPolicy: 'Always',
    tolerations: [{ operator: 'Exists', effect: 'NoExecute' }],
    containers: [{ terminationMessagePath: '/dev/termination-log' }],
  });
});

test('another content, file or node is another pod', () => {
  const uids = [
    staticPod(pod({}), origin),
    staticPod(pod({ labels: { a: 'b' } }), origin),
    staticPod(pod({}), { ...origin, path: '/manifests/other.yaml' }),
    staticPod(pod({}), { ...origin, nodeName: 'node-2' }),
    staticPod(pod({}), { ...origin, nowMs: 1 }),
  ].map(({ metadata }) => metadata.uid);
  expect(new Set(uids).size).toBe(4);
  expect(uids[4]).toBe(uids[0]);
});

test.each<[string, Record<string, unknown>, RegExp]>([
  ['a name that leads out of a directory', pod({ name: '../../../tmp/x' }), /metadata\.name: Invalid value/],
  ['a namespace that does', pod({ namespace: '../x' }), /metadata\.namespace: Invalid value/],
  ['no name', pod({ name: '' }), /name is needed for the pod/],
  ['no metadata', { apiVersion: 'v1', kind: 'Pod', spec: {} }, /name is needed for the pod/],
  ['no spec', { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x' } }, /spec\.containers: Required value/],
  ['another version', { ...pod({}), apiVersion: 'v2' }, /Pods of v1 only, not v2 Pod/],
  ['another kind', { ...pod({}), kind: 'Service' }, /Pods of v1 only, not v1 Service/],
  ['a list that is a text', pod({}, { containers: 'none' }), /cannot unmarshal string/],
  ['a list of nothing', pod({}, { containers: [null] }), /spec\.containers\[0\]\.name: Required value/],
  ['a number that is a text', pod({}, { terminationGracePeriodSeconds: 'long' }), /cannot unmarshal string/],
  ['ephemeral containers', pod({}, { ephemeralContainers: [{ name: 'e', image: 'i' }] }), /cannot be set on create/],
  ['a service account', pod({}, { serviceAccountName: 'a' }), /may not reference serviceaccounts/],
  ['a secret', pod({}, volume({ secret: { secretName: 's' } })), /may not reference secrets/],
  ['a configmap', pod({}, projected({ configMap: { name: 'c' } })), /may not reference configmaps/],
  [
    'a claim',
    pod({}, volume({ persistentVolumeClaim: { claimName: 'c' } })),
    /may not reference persistentvolumeclaims/,
  ],
  ['a driver', pod({}, volume({ csi: { driver: 'd.example' } })), /may not reference csidrivers/],
])('%s is refused', (_, manifest, message) => {
  expect(() => staticPod(manifest, origin)).toThrow(message);
});

test('the pod itself may be told of', () => {
  const items = [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }];
  const { spec } = staticPod(pod({}, projected({ downwardAPI: { items } })), origin);
  expect(spec.volumes).toHaveLength(1);
});

test('documents of a manifest', () => {
  expect(manifestObjects('a: 1\n---\n# nothing\n---\n{"b": 2}')).toEqual([{ a: 1 }, { b: 2 }]);
  for (const garbage of ['text', '- a', 'a: [']) expect(() => manifestObjects(garbage)).toThrow();
});
