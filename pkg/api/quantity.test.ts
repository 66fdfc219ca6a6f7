import { describe, expect, test } from 'vitest';
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  quantityMilliValue,
  quantityValue,
} from './quantity.ts';

describe('canonical form', () => {
  test.each([
    ['0', '0'],
    ['0Gi', '0'],
    ['1000m', '1'],
    ['100m', '100m'],
    ['1500m', '1500m'],
    ['0.5', '500m'],
    ['.5', '500m'],
    ['1.', '1'],
    ['+1', '1'],
    ['-1500m', '-1500m'],
    ['0.5Gi', '512Mi'],
    ['1.5Ki', '1536'],
    ['1024Mi', '1Gi'],
    ['1023', '1023'],
    ['1000', '1k'],
    ['1024', '1024'],
    ['0.5Ki', '512'],
    ['512Ki', '512Ki'],
    ['0.0001Ki', '102400u'],
    ['100000k', '100M'],
    ['1e3', '1e3'],
    ['1E3', '1e3'],
    ['12e-1', '1200e-3'],
    ['1E', '1E'],
    ['1000Ei', '9223372036854775807'],
    ['9999999999999999999999', '9999999999999999999999'],
    ['0.1n', '1n'],
    ['0012', '12'],
    ['123456789Ki', '123456789Ki'],
  ])('%s -> %s', (text, canonical) => {
    expect(canonicalQuantity(text)).toBe(canonical);
  });

  test('numbers', () => {
    expect(canonicalQuantity(2)).toBe('2');
    expect(canonicalQuantity(0.1)).toBe('100m');
  });
});

test.each([
  ['', /regular expression/],
  ['abc', /regular expression/],
  ['1 Gi', /regular expression/],
  ['1.2.3', /regular expression/],
  ['.', /numeric part/],
  ['1KiB', /regular expression/],
  ['1iK', /suffix/],
  ['1K', /suffix/],
  ['1ee3', /suffix/],
  ['9'.repeat(100_000), /regular expression/],
])('refuses %j', (text, message) => {
  expect(() => parseQuantity(text)).toThrow(message);
});

test('values round up', () => {
  expect(quantityValue('1Gi')).toBe(1073741824);
  expect(quantityValue('100m')).toBe(1);
  expect(quantityValue('1.5')).toBe(2);
  expect(quantityMilliValue('2')).toBe(2000);
  expect(quantityMilliValue('250m')).toBe(250);
  expect(quantityMilliValue('1u')).toBe(1);
  expect(quantityMilliValue('0.5')).toBe(500);
});

test('arithmetic', () => {
  const sum = addQuantities(parseQuantity('500m'), parseQuantity('1'));
  expect(formatQuantity(sum)).toBe('1500m');
  expect(formatQuantity(addQuantities(parseQuantity('0'), parseQuantity('1Gi')))).toBe('1Gi');
  expect(compareQuantities(parseQuantity('1Gi'), parseQuantity('1G'))).toBe(1);
  expect(compareQuantities(parseQuantity('1'), parseQuantity('1000m'))).toBe(0);
});
