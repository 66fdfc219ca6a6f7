import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';
import { isStatusError } from '../errors.ts';
import { applyJSONPatch, unknownOperationFields } from './json-patch.ts';

interface SuiteCase {
  comment?: string;
  doc: unknown;
  patch: unknown;
  expected?: unknown;
  error?: string;
  disabled?: boolean;
}

const require = createRequire(import.meta.url);
const suite = ['tests.json', 'spec_tests.json'].flatMap((file) =>
  (require(`json-patch-test-suite/${file}`) as SuiteCase[]).filter((entry) => !entry.disabled),
);

/** Where upstream's library, and therefore the API server, is not the RFC: the case and upstream's answer. */
const upstreamAnswers = new Map<string | undefined, unknown>([
  ['[{"op":"add","path":"/bar/-1","value":"5"}]', { bar: [1, 2, '5'] }],
  ['replacing the root of the document is possible with add', 422],
  ["missing 'value' parameter to add", [1, null]],
  ["missing 'value' parameter to replace", [null]],
  ["missing 'value' parameter to test", [null]],
]);

/** The result, or the code of the StatusError. */
function outcome(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    if (isStatusError(error)) return error.code;
    throw error;
  }
}

test.each(suite.map((entry, index) => [`${index} ${entry.comment ?? JSON.stringify(entry.patch)}`, entry] as const))(
  'suite: %s',
  (_name, entry) => {
    const before = JSON.stringify(entry.doc);
    const result = outcome(() => applyJSONPatch(entry.doc, entry.patch));
    const upstream = upstreamAnswers.get(entry.comment ?? JSON.stringify(entry.patch));
    if (upstream !== undefined) expect(result).toEqual(upstream);
    else if (entry.error === undefined) expect(result).toEqual(entry.expected ?? entry.doc);
    else expect([400, 422]).toContain(result);
    expect(JSON.stringify(entry.doc)).toBe(before);
  },
);

describe('as the API server applies it', () => {
  const doc = { data: { x: '1', y: '2' } };
  test.each([
    [
      'replace creates a member',
      [{ op: 'replace', path: '/data/z', value: '3' }],
      { data: { x: '1', y: '2', z: '3' } },
    ],
    ['the text before the first slash is skipped', [{ op: 'add', path: 'data/x', value: '5' }], { ...doc, x: '5' }],
    ['remove of a missing member', [{ op: 'remove', path: '/data/zzz' }], 422],
    ['add below a missing member', [{ op: 'add', path: '/nope/deep', value: 1 }], 422],
    ['an unknown operation', [{ op: 'explode', path: '/data/x' }], 422],
    ['a patch that is no list', { not: 'a list' }, 400],
    ['an operation that is no object', [1], 400],
    ['a path that is no string', [{ op: 'add', path: 1 }], 400],
    ['__proto__ is an ordinary name', [{ op: 'add', path: '/__proto__/polluted', value: true }], 422],
    ['constructor is an ordinary name', [{ op: 'test', path: '/constructor', value: null }], doc],
    ['a scalar root', [{ op: 'replace', path: '', value: 'x' }], 422],
  ])('%s', (_name, patch, expected) => {
    expect(outcome(() => applyJSONPatch(doc, patch))).toEqual(expected);
  });

  test('limits the number of operations and the bytes that copies add', () => {
    const operations = new Array(10_001).fill({ op: 'test', path: '/data/x', value: '1' });
    expect(outcome(() => applyJSONPatch(doc, operations))).toBe(413);
    expect(outcome(() => applyJSONPatch(doc, operations.slice(1)))).toEqual(doc);
    const large = { from: 'a'.repeat(1024 * 1024) };
    const copies = [1, 2, 3].map((n) => ({ op: 'copy', from: '/from', path: `/to${n}` }));
    expect(outcome(() => applyJSONPatch(large, copies))).toBe(422);
  });

  test('names the unknown members of operations', () => {
    const patch = [{ op: 'add', path: '/a', valu: 1 }];
    expect(unknownOperationFields(patch)).toEqual(['json patch unknown field "[0].valu"']);
  });
});
