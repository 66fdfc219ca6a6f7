import { expect, test } from 'vitest';
import { isStatusError } from '../../api/errors.ts';
import { Query } from '../request/query.ts';
import { parseListOptions, parseResourceVersion } from './list-options.ts';

function causes(query: string, verb: 'list' | 'watch'): string[] {
  try {
    parseListOptions(Query.parse(query), verb);
    return [];
  } catch (error) {
    if (!isStatusError(error)) throw error;
    return error.status.details?.causes?.map((cause) => `${cause.field} ${cause.message}`) ?? [error.message];
  }
}

const MATCH = 'resourceVersionMatch Forbidden: resourceVersionMatch is forbidden';
const REQUIRES =
  'resourceVersionMatch Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan';

test.each([
  ['limit=-1', []],
  ['limit=x', ['strconv.ParseInt: parsing "x": invalid syntax']],
  ['limit=99999999999999999999', ['strconv.ParseInt: parsing "99999999999999999999": value out of range']],
  ['timeoutSeconds=1s', ['strconv.ParseInt: parsing "1s": invalid syntax']],
  ['resourceVersion=5&resourceVersionMatch=Exact', []],
  ['resourceVersion=0&resourceVersionMatch=NotOlderThan', []],
  [
    'resourceVersionMatch=Foo&continue=x',
    [
      `${MATCH} unless resourceVersion is provided`,
      `${MATCH} when continue is provided`,
      'resourceVersionMatch Unsupported value: "Foo": supported values: "Exact", "NotOlderThan", ""',
    ],
  ],
  [
    'resourceVersion=0&resourceVersionMatch=Exact',
    ['resourceVersionMatch Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"'],
  ],
  ['sendInitialEvents=false', ['sendInitialEvents Forbidden: sendInitialEvents is forbidden for list']],
])('list with %s', (query, expected) => {
  expect(causes(query, 'list')).toEqual(expected);
});

test.each([
  ['', []],
  ['sendInitialEvents=true&resourceVersionMatch=NotOlderThan', []],
  ['sendInitialEvents=false', [REQUIRES]],
  [
    'sendInitialEvents=true&resourceVersionMatch=Exact',
    [REQUIRES, 'resourceVersionMatch Unsupported value: "Exact": supported values: "NotOlderThan"'],
  ],
  [
    'resourceVersionMatch=NotOlderThan&continue=x',
    [`${MATCH} for watch unless sendInitialEvents is provided`, `${MATCH} when continue is provided`],
  ],
])('watch with %s', (query, expected) => {
  expect(causes(query, 'watch')).toEqual(expected);
});

test.each([
  ['watch=1', true],
  ['watch=1&resourceVersion=0', true],
  ['watch=1&resourceVersion=7', undefined],
  ['resourceVersion=0', undefined],
  ['watch=1&sendInitialEvents=false&resourceVersionMatch=NotOlderThan', false],
])('initial events of a watch with %s', (query, expected) => {
  expect(parseListOptions(Query.parse(query), 'watch').sendInitialEvents).toBe(expected);
});

test.each([
  [
    'list',
    400,
    'invalid resource version: resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax',
  ],
  ['get', 500, 'resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax'],
  ['watch', 500, 'resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax'],
] as const)('what is no version in a %s', (verb, code, message) => {
  expect(() => parseResourceVersion('x', verb)).toThrow(expect.objectContaining({ message, code }));
});

test('versions', () => {
  expect(parseResourceVersion('', 'list')).toBe(0);
  expect(parseResourceVersion('0', 'list')).toBe(0);
  expect(parseResourceVersion('42', 'list')).toBe(42);
  expect(() => parseResourceVersion('18446744073709551616', 'get')).toThrow('value out of range');
});
