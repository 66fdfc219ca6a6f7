import { expect, test } from 'vitest';
import { builtinDefinitions } from '../../api/scheme.ts';
import { createMetrics } from '../../base/metrics.ts';
import { Definitions } from '../definitions.ts';
import { Query } from '../request/query.ts';
import { parseRequestInfo } from '../request/request-info.ts';
import { RequestMetrics, variantOf } from './request-metrics.ts';

const definitions = new Definitions(builtinDefinitions());

/** The labels of the one series that a request makes. */
async function labelsOf(method: string, url: string, contentType?: string): Promise<string> {
  const metrics = createMetrics();
  const requests = new RequestMetrics(metrics, definitions);
  const [path = '', search = ''] = url.split('?');
  const query = Query.parse(search);
  const info = parseRequestInfo(method, path, query);
  const kind = requests.begin(info, variantOf(info, query, contentType));
  requests.end(kind, 200, { tookMs: 3, waitedMs: 1, bytes: 10 });
  const text = await metrics.metrics();
  return /^apiserver_request_total\{(.*)\} 1$/m.exec(text)?.[1]?.replaceAll('"', '') ?? '';
}

const core = 'group=,version=v1,resource=pods';

test.each([
  [
    'GET',
    '/api/v1/pods',
    undefined,
    `verb=LIST,${core},subresource=,scope=cluster,component=apiserver,dry_run=,code=200`,
  ],
  ['GET', '/api/v1/pods?watch=1', undefined, `verb=WATCH,${core},subresource=,scope=cluster`],
  [
    'POST',
    '/api/v1/namespaces/n/pods?dryRun=All',
    undefined,
    `verb=POST,${core},subresource=,scope=resource,component=apiserver,dry_run=All`,
  ],
  [
    'PUT',
    '/api/v1/namespaces/n/pods/p/status?dryRun=x',
    undefined,
    `verb=PUT,${core},subresource=status,scope=resource,component=apiserver,dry_run=invalid`,
  ],
  ['PATCH', '/api/v1/namespaces/n/pods/p', 'application/apply-patch+yaml', `verb=APPLY,${core}`],
  ['PATCH', '/api/v1/namespaces/n/pods/p', 'application/merge-patch+json', `verb=PATCH,${core}`],
  ['DELETE', '/api/v1/namespaces/n/pods', undefined, `verb=DELETECOLLECTION,${core},subresource=,scope=namespace`],
  ['GET', '/api/v1/namespaces/n/pods/p/log', undefined, `verb=CONNECT,${core},subresource=log,scope=resource`],
  ['GET', '/readyz', undefined, 'verb=GET,group=,version=,resource=,subresource=/readyz,scope=,component=,dry_run='],
  [
    'GET',
    '/api/v1/namespaces/n/unheardof/x',
    undefined,
    'verb=GET,group=,version=,resource=,subresource=,scope=,component=apiserver',
  ],
  ['BREW', '/api/v1/namespaces/n/pods/p/unheardof', undefined, `verb=other,${core},subresource=,scope=resource`],
])('%s %s %s', async (method, url, contentType, expected) => {
  expect(await labelsOf(method, url, contentType)).toContain(expected);
});

test('what is under way is counted, streams by themselves', async () => {
  const metrics = createMetrics();
  const requests = new RequestMetrics(metrics, definitions);
  const begin = (method: string, url: string) => {
    const [path = '', search = ''] = url.split('?');
    const query = Query.parse(search);
    const info = parseRequestInfo(method, path, query);
    return requests.begin(info, variantOf(info, query, undefined));
  };
  const list = begin('GET', '/api/v1/pods');
  begin('POST', '/api/v1/namespaces/n/pods');
  const watch = begin('GET', '/api/v1/pods?watch=1');
  const text = await metrics.metrics();
  expect(text).toContain('apiserver_current_inflight_requests{request_kind="readOnly"} 1');
  expect(text).toContain('apiserver_current_inflight_requests{request_kind="mutating"} 1');
  expect(text).toMatch(/apiserver_longrunning_requests\{verb="WATCH",.*resource="pods".*\} 1/);
  for (const kind of [list, watch]) requests.end(kind, 200, { tookMs: 1, waitedMs: 0, bytes: 0 });
  const after = await metrics.metrics();
  expect(after).toContain('apiserver_current_inflight_requests{request_kind="readOnly"} 0');
  expect(after).toMatch(/apiserver_longrunning_requests\{verb="WATCH",.*resource="pods".*\} 0/);
});

test('deprecated APIs that are asked for have the release that removes them', async () => {
  const metrics = createMetrics();
  const requests = new RequestMetrics(metrics, definitions);
  const info = parseRequestInfo('GET', '/api/v1/namespaces/n/endpoints', Query.empty);
  requests.begin(info, variantOf(info, Query.empty, undefined));
  expect(await metrics.metrics()).toContain(
    'apiserver_requested_deprecated_apis{group="",version="v1",resource="endpoints",subresource="",removed_release=""} 1',
  );
});
