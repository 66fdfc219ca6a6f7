import { expect, test } from 'vitest';
import { formatPath, keyElement, readFieldSet, valueElement } from './path-element.ts';

test('elements of lists are canonical JSON', () => {
  expect(keyElement({ protocol: 'TCP', port: 80 })).toBe('k:{"port":80,"protocol":"TCP"}');
  expect(valueElement('a"b')).toBe('v:"a\\"b"');
});

test('paths read as in conflicts', () => {
  expect(formatPath(['f:spec', 'f:ports', 'k:{"port":80,"protocol":"TCP"}', 'f:name'])).toBe(
    '.spec.ports[port=80,protocol="TCP"].name',
  );
  expect(formatPath(['f:metadata', 'f:finalizers', 'v:"a/b"'])).toBe('.metadata.finalizers[="a/b"]');
});

test('reads what clients send', () => {
  expect(readFieldSet({ 'f:a': { 'k:{ "b": 2, "a": 1 }': { '.': {} } } })).toEqual({
    'f:a': { 'k:{"a":1,"b":2}': { '.': {} } },
  });
  for (const malformed of [null, [], { x: {} }, { 'k:[]': {} }, { 'k:{': {} }, { 'f:a': 1 }, { 'i:x': {} }]) {
    expect(() => readFieldSet(malformed)).toThrow(SyntaxError);
  }
});
