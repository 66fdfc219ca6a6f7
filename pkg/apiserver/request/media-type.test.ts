import { expect, test } from 'vitest';
import { mediaType } from './media-type.ts';

test.each([
  ['application/json', 'application/json'],
  [' Application/JSON ', 'application/json'],
  ['application/json;', 'application/json'],
  ['application/json; charset=utf-8 ;', 'application/json'],
  ['application/json;charset="utf-8"', 'application/json'],
  ['application/json;a="\\"; b"', 'application/json'],
  ['application/json;a=b;A=b', 'application/json'],
  ["application/json;a*=utf-8''x", 'application/json'],
  [';', ''],
  ['application/json;;', undefined],
  ['application/json;charset', undefined],
  ['application/json;charset=', undefined],
  ['application/json;=x', undefined],
  ['application/json;charset="utf-8', undefined],
  ['application/json;a=b;a=c', undefined],
  ['application/json;a b=c', undefined],
  ['application/json;a=b c', undefined],
])('%s', (header, expected) => {
  expect(mediaType(header)).toBe(expected);
});
