import { expect, test } from 'vitest';
import { Query } from './query.ts';
import { parseRequestInfo, withSelectors } from './request-info.ts';

test.each([
  ['GET', '/api/v1/pods', 'list', '', 'v1', 'pods', '', '', ''],
  ['GET', '/api/v1/namespaces', 'list', '', 'v1', 'namespaces', '', '', ''],
  ['GET', '/api/v1/namespaces/a', 'get', '', 'v1', 'namespaces', '', 'a', 'a'],
  ['PUT', '/api/v1/namespaces/a/finalize', 'update', '', 'v1', 'namespaces', 'finalize', 'a', 'a'],
  ['GET', '/api/v1/namespaces/a/pods/p/log', 'get', '', 'v1', 'pods', 'log', 'a', 'p'],
  ['DELETE', '/apis/apps/v1/namespaces/a/deployments', 'deletecollection', 'apps', 'v1', 'deployments', '', 'a', ''],
  ['DELETE', '/api/v1/watch/namespaces/a', '', '', 'v1', 'namespaces', '', 'a', 'a'],
  ['GET', '/api/v1/namespaces//pods', 'list', '', 'v1', '', '', '', ''],
  ['GET', '/api/v1//pods', 'get', '', 'v1', '', '', '', 'pods'],
  ['GET', '/api/v1/watch/namespaces/a/pods/p', 'watch', '', 'v1', 'pods', '', 'a', 'p'],
  ['GET', '/api/v1/namespaces/a%2Fpods', 'list', '', 'v1', 'pods', '', 'a', ''],
  ['POST', '/apis/g.example/v1/namespaces/a%20b/things', 'create', 'g.example', 'v1', 'things', '', 'a b', ''],
])('%s %s', (method, path, verb, group, version, resource, subresource, namespace, name) => {
  const info = parseRequestInfo(method, path, Query.empty);
  expect(info).toMatchObject({ isResourceRequest: true, verb, group, version, resource, subresource, namespace, name });
});

test('of a query, what cannot be read is not there', () => {
  const query = Query.parse('a=%zz&b=1;c=2&d=3');
  expect([query.has('a'), query.has('b'), query.get('d')]).toEqual([false, false, '3']);
});

test('watches, proxies and paths that are no resources', () => {
  expect(parseRequestInfo('GET', '/api/v1/pods', Query.parse('watch=1')).verb).toBe('watch');
  expect(parseRequestInfo('GET', '/api/v1/pods', Query.parse('watch=false')).verb).toBe('list');
  expect(parseRequestInfo('GET', '/api/v1/nodes/n/proxy/a/b', Query.empty).subpath).toBe('a/b');
  for (const path of ['/', '/api', '/apis/apps/v1', '/healthz']) {
    expect(parseRequestInfo('GET', path, Query.empty)).toMatchObject({ isResourceRequest: false, verb: 'get', path });
  }
});

test.each([
  ['GET', 'metadata.name=x', { name: 'x', fieldSelector: [{ field: 'metadata.name', equal: true, value: 'x' }] }],
  ['DELETE', 'metadata.name=x,a!=b', { name: 'x' }],
  ['GET', 'metadata.name!=x', { name: '' }],
  ['GET', 'metadata.name=a/b', { name: '' }],
  ['GET', 'spec.nodeName=n', { name: '', fieldSelector: [{ field: 'spec.nodeName', equal: true, value: 'n' }] }],
  ['GET', 'nonsense', { name: '' }],
])('what authorization sees of %s with %s', (method, selector, expected) => {
  const query = Query.parse(`fieldSelector=${encodeURIComponent(selector)}`);
  expect(withSelectors(parseRequestInfo(method, '/api/v1/pods', query), query)).toMatchObject(expected);
});
