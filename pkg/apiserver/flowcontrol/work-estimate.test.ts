import { expect, test } from 'vitest';
import { Query } from '../request/query.ts';
import { parseRequestInfo } from '../request/request-info.ts';
import { estimateWork } from './work-estimate.ts';

const thousandPods = { objects: 1000, averageBytes: 3000, watchers: 0 };

test.each<[string, string, string, number, object, object]>([
  ['a get', 'GET', '/api/v1/namespaces/a/pods/p', 100, thousandPods, { seats: 1 }],
  ['a long list is streamed', 'GET', '/api/v1/pods', 100, thousandPods, { seats: 10 }],
  ['a page', 'GET', '/api/v1/pods?limit=100', 100, thousandPods, { seats: 3 }],
  ['a list of a small level', 'GET', '/api/v1/pods', 20, thousandPods, { seats: 3 }],
  ['a short list', 'GET', '/api/v1/pods', 100, { ...thousandPods, objects: 3 }, { seats: 1 }],
  ['a watch', 'GET', '/api/v1/pods?watch=1', 100, thousandPods, { seats: 1 }],
  [
    'a watch with its initial events',
    'GET',
    '/api/v1/pods?watch=1&sendInitialEvents=1',
    100,
    thousandPods,
    { seats: 10 },
  ],
  ['a write', 'POST', '/api/v1/namespaces/a/pods', 100, thousandPods, { seats: 1, finalSeats: 0 }],
  [
    'a write that many will hear of',
    'POST',
    '/api/v1/namespaces/a/pods',
    100,
    { ...thousandPods, watchers: 40 },
    { seats: 1, finalSeats: 4, finalMs: 50 },
  ],
])('%s', (_, method, url, nominal, statistics, expected) => {
  const [path = '', text = ''] = url.split('?');
  const query = Query.parse(text);
  const info = parseRequestInfo(method, path, query);
  expect(estimateWork(info, query, nominal, () => statistics as typeof thousandPods)).toMatchObject(expected);
});

test('what is not stored here costs one seat', () => {
  const info = parseRequestInfo('GET', '/apis/metrics.k8s.io/v1/pods', Query.empty);
  expect(estimateWork(info, Query.empty, 100, () => undefined).seats).toBe(1);
});
