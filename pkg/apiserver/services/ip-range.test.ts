import { expect, test } from 'vitest';
import { Allocator, findFree } from './allocator.ts';
import { IPRange } from './ip-range.ts';

test.each([
  ['10.43.0.0/16', 65534, '10.43.0.1', '10.43.255.254'],
  ['10.0.0.0/30', 2, '10.0.0.1', '10.0.0.2'],
  ['fd00:43::/112', 65535, 'fd00:43::1', 'fd00:43::ffff'],
])('%s has %d addresses', (cidr, size, first, last) => {
  const range = IPRange.parse(cidr);
  expect([range.size, range.at(0), range.at(range.size - 1)]).toEqual([size, first, last]);
  expect(range.contains(last)).toBe(true);
  expect(range.contains('10.44.0.1')).toBe(false);
  expect(range.contains('::1')).toBe(false);
});

test('what is no network is refused', () => {
  for (const cidr of ['10.43.0.0', '10.43.0.0/33', 'x/8', '010.1.1.1/8'])
    expect(() => IPRange.parse(cidr)).toThrow(cidr);
});

test('the allocator finds what is free until nothing is', () => {
  const taken = new Allocator<number>();
  const pick = (): number | undefined => findFree(taken, 3, (index) => index, 0.9);
  expect(pick()).toBe(2);
  const release = taken.reserve(2);
  taken.addStored(0);
  expect(pick()).toBe(1);
  taken.addStored(1);
  expect(pick()).toBeUndefined();
  release();
  release();
  expect(pick()).toBe(2);
});
