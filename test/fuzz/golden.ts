import { isDeepStrictEqual } from 'node:util';
import { HOSTILE_KEYS } from './hostile.ts';
import type { Target } from './target.ts';

const NAMESPACE = 'fuzz-golden';
type JSONObject = Record<string, unknown>;

/** A round trip that must work whatever came before; returns what went wrong. */
export async function goldenRoundTrip(target: Target): Promise<string[]> {
  const problems: string[] = [];
  const expect = (what: string, actual: unknown, wanted: unknown): void => {
    if (!isDeepStrictEqual(actual, wanted)) {
      problems.push(
        `${what}: ${JSON.stringify(actual)?.slice(0, 500)} instead of ${JSON.stringify(wanted)?.slice(0, 500)}`,
      );
    }
  };
  const collection = `/api/v1/namespaces/${NAMESPACE}/configmaps`;
  await target.json('POST', '/api/v1/namespaces', { metadata: { name: NAMESPACE } });
  await target.json('DELETE', `${collection}/golden`);
  const data = Object.fromEntries([...HOSTILE_KEYS, 'plain'].map((key) => [key, `of ${key}`]));
  // `fromEntries` defines an own `__proto__`, which JSON text keeps.
  const created = await target.json('POST', collection, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'golden' },
    data,
  });
  expect('create', created.status, 201);
  const object = (created.body ?? {}) as JSONObject;
  expect('fields', Object.keys(object).sort(), ['apiVersion', 'data', 'kind', 'metadata']);
  expect('data', (object['data'] ?? {}) as JSONObject, data);
  const metadata = (object['metadata'] ?? {}) as JSONObject;
  expect('metadata', Object.keys(metadata).sort(), [
    'creationTimestamp',
    'managedFields',
    'name',
    'namespace',
    'resourceVersion',
    'uid',
  ]);
  expect('get', (await target.json('GET', `${collection}/golden`)).text, created.text);

  const patched = await target.json(
    'PATCH',
    `${collection}/golden`,
    { metadata: { labels: { app: 'golden' } } },
    'application/merge-patch+json',
  );
  expect('patch', patched.status, 200);
  const applied = await target.json(
    'PATCH',
    `${collection}/golden?fieldManager=golden&force=true`,
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'golden' }, data: { plain: 'applied' } },
    'application/apply-patch+yaml',
  );
  expect('apply', [applied.status, (applied.body as { data?: JSONObject })?.data?.['plain']], [200, 'applied']);
  for (const [selector, count] of [
    ['app=golden', 1],
    ['app=other', 0],
    ['__proto__', 0],
    ['constructor', 0],
    ['toString!=x', 1],
  ] as const) {
    const list = await target.json(
      'GET',
      `${collection}?labelSelector=${encodeURIComponent(selector)}&fieldSelector=metadata.name%3Dgolden`,
    );
    expect(`list ${selector}`, ((list.body as { items?: unknown[] })?.items ?? []).length, count);
  }
  await unknownNames(target, expect);
  expect('delete', (await target.json('DELETE', `${collection}/golden`)).status, 200);
  expect('get deleted', (await target.json('GET', `${collection}/golden`)).status, 404);
  return problems;
}

/** Names of every object's prototype name nothing on the server, and nothing has been added to that prototype. */
async function unknownNames(
  target: Target,
  expect: (what: string, actual: unknown, wanted: unknown) => void,
): Promise<void> {
  for (const name of ['constructor', 'toString', '__proto__', 'polluted', 'hasOwnProperty']) {
    for (const path of [
      `/api/v1/${name}`,
      `/apis/${name}`,
      `/apis/apps/${name}`,
      `/api/v1/namespaces/${NAMESPACE}/configmaps/${name}`,
      `/openapi/v3/apis/${name}/v1`,
      `/${name}`,
    ]) {
      expect(path, (await target.json('GET', path)).status, 404);
    }
  }
  // An empty object stays empty: inherited members would show up as fields.
  const review = await target.json(
    'POST',
    '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews?fieldValidation=Strict',
    {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: {} },
    },
  );
  expect('review', review.text.includes('olluted'), false);
  expect('review', review.status, 201);
}
