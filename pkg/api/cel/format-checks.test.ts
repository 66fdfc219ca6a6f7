import { expect, test } from 'vitest';
import { Environment, kubernetesLibraries, loadRegexEngine } from './index.ts';

const environment = new Environment({
  variables: new Map(),
  libraries: kubernetesLibraries(await loadRegexEngine()),
});

function issuesOf(text: string): string[] {
  const compiled = environment.compile(text);
  return 'issues' in compiled ? compiled.issues.map(({ pos, message }) => `${pos} ${message}`) : [];
}

test.each([
  '"%s %d".format(["a", 1])',
  '"%s %s".format([1, ["a", 2]])',
  '"%d".format([dyn("a")])',
  '"%.2f %% %x".format([1.0, b"a"])',
  '"%s".format([duration("1s")])',
])('fits: %s', (text) => {
  expect(issuesOf(text)).toEqual([]);
});

test.each([
  ['"%d".format(["a"])', '13 error during formatting: decimal clause can only be used on integers, was given string'],
  [
    '"%b".format([1.5])',
    '13 error during formatting: only integers and bools can be formatted as binary, was given double',
  ],
  ['"%s".format([1, true])', '11 too many arguments supplied to string.format (expected 1, got 2)'],
  ['"%d %d".format([1])', '14 index 1 out of range'],
  ['"%q".format([1])', '11 could not parse formatting clause: unrecognized formatting clause "q"'],
  ['["a", 1]', "6 expected type 'string' but found 'int'"],
])('does not fit: %s', (text, issue) => {
  expect(issuesOf(text)).toEqual([issue]);
});

test('literals are not looked at where types are wrong', () => {
  expect(issuesOf('[1, "a"].size() + "b"')).toEqual([
    "16 found no matching overload for '_+_' applied to '(int, string)'",
  ]);
});
