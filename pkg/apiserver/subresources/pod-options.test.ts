import { expect, test } from 'vitest';
import type { StatusError } from '../../api/errors.ts';
import { Query } from '../request/query.ts';
import { checkLogOptions } from './pod-options.ts';

function refusal(query: string): string {
  try {
    checkLogOptions('p', new Query(new Map([...new URLSearchParams(query)].map(([name, value]) => [name, [value]]))));
    return '';
  } catch (error) {
    return String((error as StatusError).status.message);
  }
}

test.each([
  ['tailLines=0&limitBytes=1&sinceTime=2026-01-01T00:00:00Z', ''],
  ['stream=Stderr', 'PodLogOptions "p" is invalid: stream: Forbidden: may not be specified'],
  ['sinceTime=x', 'parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"'],
  ['limitBytes=0', 'PodLogOptions "p" is invalid: limitBytes: Invalid value: 0: must be greater than 0'],
])('options of logs: %s', (query, expected) => {
  expect(refusal(query)).toBe(expected);
});
