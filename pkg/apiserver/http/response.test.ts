import { expect, test } from 'vitest';
import { limitWarnings } from './response.ts';

test('warnings: each once, cut when they are too long together, then left out', () => {
  expect(limitWarnings(['a', 'b', 'a'])).toEqual(['a', 'b']);
  const long = 'ü'.repeat(3000);
  expect(limitWarnings([long])).toEqual([long]);
  expect(limitWarnings([long, `${long}x`, 'short'])).toEqual(['ü'.repeat(256), 'ü'.repeat(256), 'short']);
  expect(limitWarnings(Array.from({ length: 100 }, (_, i) => `${i} ${long}`))).toHaveLength(16);
});
