import { expect, test } from 'vitest';
import { parseLabelQuery } from './label-query.ts';
import { matchesRequirements } from './selector.ts';

test.each([
  ['app=x', { app: 'x' }, true],
  ['app==x', { app: 'y' }, false],
  ['app!=x', {}, true],
  ['app in (x, z ,q)', { app: 'q' }, true],
  ['app in ()', { app: '' }, true],
  ['app notin (x)', {}, true],
  ['!app', { app: '' }, false],
  ['app', { app: '' }, true],
  ['app=', { app: '' }, true],
  ['n>3,n<10', { n: '9' }, true],
  ['n>3', { n: 'x' }, false],
  [' pre.fix/k = v , app ', { 'pre.fix/k': 'v', app: 'x' }, true],
  ['', {}, true],
  ['constructor', {}, false],
])('%s on %o is %s', (selector, labels, expected) => {
  expect(matchesRequirements(parseLabelQuery(selector), labels)).toBe(expected);
});

test.each([
  ['app in x', "unable to parse requirement: found 'x' expected: '('"],
  ['app=a=b', "found '=', expected: ',' or 'end of string'"],
  ['a b', "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
  ['a in (b, -)', 'values[1][a]: Invalid value: "-": a valid label must be'],
  ['a,', "found '', expected: identifier after ','"],
])('%s is refused', (selector, message) => {
  expect(() => parseLabelQuery(selector)).toThrow(message);
});
