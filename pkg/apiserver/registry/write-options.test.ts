import { expect, test } from 'vitest';
import { Query } from '../request/query.ts';
import type { RequestContext } from '../request/request-context.ts';
import { parseDeleteOptions } from './write-options.ts';

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
  [{ propagationPolicy: { toString: [] } }, /cannot be handled as a DeleteOptions: json: cannot unmarshal object/],
  [
    { gracePeriodSeconds: 'x' },
    /cannot unmarshal string into Go struct field DeleteOptions.gracePeriodSeconds of type int64/,
  ],
  [{ dryRun: [{}] }, /cannot unmarshal object/],
  [{ kind: 'Pod' }, /it is a Pod/],
  [JSON.parse(`{"a":${'['.repeat(9000)}${']'.repeat(9000)}}`), /exceeded max depth/],
  [[], /must be a DeleteOptions object/],
])('%.80j', (body, message) => {
  expect(() => parseDeleteOptions(context, body)).toThrow(message);
});
