import { expect, test } from 'vitest';
import { applyMergePatch } from './merge-patch.ts';

test.each([
  // The examples of RFC 7386, as far as they have objects on both sides.
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  // Upstream's extras.
  [{}, { a: [{ b: null, c: 1 }, null] }, { a: [{ c: 1 }, null] }],
])('%j + %j', (doc, patch, expected) => {
  const before = JSON.stringify([doc, patch]);
  expect(applyMergePatch<unknown>(doc, patch)).toEqual(expected);
  expect(JSON.stringify([doc, patch])).toBe(before);
});

test('refuses a patch that is no object, keeps prototypes out', () => {
  expect(() => applyMergePatch({}, [])).toThrow('cannot unmarshal array into Go value of type map[string]interface {}');
  const merged = applyMergePatch<Record<string, unknown>>({}, JSON.parse('{"__proto__":{"polluted":true}}'));
  expect(merged.polluted).toBeUndefined();
  expect(Object.keys(merged)).toEqual(['__proto__']);
});
