import { expect, test } from 'vitest';
import type { StatusError } from '../../api/errors.ts';
import { Query } from '../request/query.ts';
import { checkOptions, streamQuery } from './pod-options.ts';

function refusal(query: string, subresource = 'log'): string {
  try {
    checkOptions({ name: 'p', subresource }, Query.parse(query));
    return '';
  } catch (error) {
    return String((error as StatusError).status.message);
  }
}

test.each([
  ['tailLines=0&limitBytes=1&sinceTime=2026-01-01T00:00:00Z', ''],
  ['stream=Stderr', 'PodLogOptions "p" is invalid: stream: Forbidden: may not be specified'],
  ['stream=', 'PodLogOptions "p" is invalid: stream: Forbidden: may not be specified'],
  ['sinceTime=x', 'parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"'],
  ['limitBytes=0', 'PodLogOptions "p" is invalid: limitBytes: Invalid value: 0: must be greater than 0'],
])('options of logs: %s', (query, expected) => {
  expect(refusal(query)).toBe(expected);
});

test.each([
  ['ports=80&ports=8080,65535', ''],
  ['ports=x', 'cannot convert to []int32: strconv.ParseUint: parsing "x": invalid syntax'],
  ['ports=1,', 'cannot convert to []int32: strconv.ParseUint: parsing "": invalid syntax'],
  ['ports=65536', 'cannot convert to []int32: strconv.ParseUint: parsing "65536": value out of range'],
])('ports to forward: %s', (query, expected) => {
  expect(refusal(query, 'portforward')).toBe(expected);
});

test('every port is asked of the kubelet', () => {
  expect(streamQuery('portforward', Query.parse('ports=80,0081&ports=82'))).toBe('?port=80&port=81&port=82');
});
