import { expect, test } from 'vitest';
import { Query } from '../request/query.ts';
import type { RequestContext } from '../request/request-context.ts';
import { parseDeleteOptions, parseWriteOptions } from './write-options.ts';

const context = { query: Query.empty } as RequestContext;

test('DeleteOptions are read by their schema', () => {
  expect(
    parseDeleteOptions(context, { kind: 'DeleteOptions', gracePeriodSeconds: 0, preconditions: null }),
  ).toMatchObject({
    gracePeriodSeconds: 0,
  });
  expect(parseDeleteOptions(context, { propagationPolicy: 'Orphan', unknown: {} })).not.toHaveProperty('unknown');
});

test.each([
  [
    { propagationPolicy: { toString: [] } },
    /^json: cannot unmarshal object into Go struct field DeleteOptions.propagationPolicy/,
  ],
  [
    { gracePeriodSeconds: 'x' },
    /cannot unmarshal string into Go struct field DeleteOptions.gracePeriodSeconds of type int64/,
  ],
  [{ dryRun: [{}] }, /cannot unmarshal object/],
  [{ kind: 'Pod', apiVersion: 'v1' }, /^no kind "Pod" is registered for version "v1" in scheme/],
  [JSON.parse(`{"a":${'['.repeat(9000)}${']'.repeat(9000)}}`), /exceeded max depth/],
  [[], /^couldn't get version\/kind; json parse error: json: cannot unmarshal array/],
])('%.80j', (body, message) => {
  expect(() => parseDeleteOptions(context, body)).toThrow(message);
});

test.each([
  ['propagationPolicy=', 'Unsupported value: "": supported values: "Foreground", "Background", "Orphan", "nil"'],
  ['gracePeriodSeconds=', 'strconv.ParseInt: parsing "": invalid syntax'],
  ['dryRun=', 'dryRun: Unsupported value: [""]: supported values: "All"'],
])('DeleteOptions of the query: %s', (query, message) => {
  expect(() => parseDeleteOptions({ query: Query.parse(query) }, undefined)).toThrow(message);
});

test('a query has preconditions; with a body it counts for nothing', () => {
  const query = Query.parse('resourceVersion=7&uid=u&propagationPolicy=Orphan');
  const preconditions = { uid: 'u', resourceVersion: '7' };
  expect(parseDeleteOptions({ query }, undefined)).toEqual({ propagationPolicy: 'Orphan', preconditions });
  expect(parseDeleteOptions({ query }, null)).toEqual({});
});

test.each([
  ['dryRun=All&dryRun=no', 'dryRun: Unsupported value: ["All","no"]: supported values: "All"'],
  ['fieldManager=a%01', 'fieldManager: Invalid value: "a\\x01": invalid character U+0001 (at position 1)'],
  [`fieldManager=${'\u00e4'.repeat(65)}`, 'fieldManager: Too long: may not be more than 128 bytes'],
  ['fieldValidation=strict', 'Unsupported value: "strict": supported values: "", "Ignore", "Strict", "Warn"'],
])('%.40s is refused', (query, message) => {
  const request = { query: Query.parse(query), defaultFieldManager: 'm' } as RequestContext;
  expect(() => parseWriteOptions(request, 'CreateOptions')).toThrow(message);
});

test('of an apply everything that is wrong is told', () => {
  const request = { query: Query.parse('dryRun=x'), defaultFieldManager: 'm' } as RequestContext;
  const message = '[fieldManager: Required value: is required for apply patch, dryRun: Unsupported value: ["x"]';
  expect(() => parseWriteOptions(request, 'PatchOptions', true)).toThrow(message);
});
