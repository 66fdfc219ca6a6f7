import { expect, test } from 'vitest';
import { envFileValue } from './env-file.ts';

test.each([
  ["A='1'\nB='2'\n", 'B', '2'],
  ["# no\n\n  A='x y'  # why\r\n", 'A', 'x y'],
  ["A='one\n  two\n\n#three'\nB='b'", 'A', 'one\n  two\n\n#three'],
  ["A='one\ntwo'\nB='b'", 'B', 'b'],
  ["A= 'x'\nB='$(date) \"\\n'", 'A', ''],
  ["A= 'x'\nB='$(date) \"\\n'", 'B', '$(date) "\\n'],
  ["A='1'\nA='2'", 'A', '1'],
  ["A='1'", 'B', ''],
  ['', 'B', ''],
  ["B='1'\nnonsense", 'B', '1'],
])('%j has %s', (text, key, value) => {
  expect(envFileValue(text, key)).toBe(value);
});

test.each([
  ['A', "line 1: missing '='"],
  ["X='1'\n='2'", 'line 2: empty variable name'],
  ["A ='1'", "line 1: whitespace before '=' is not allowed"],
  ['A=1', 'line 1: value must be enclosed in single quotes'],
  ["A='1'2", 'line 1: unexpected content after closing quote'],
  ["X='1'\nA='1\n2", 'line 2: unclosed single quote'],
])('%j is refused', (text, message) => {
  expect(() => envFileValue(text, 'A')).toThrow(message);
});
