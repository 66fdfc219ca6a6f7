import { expect, test } from 'vitest';
import { AddressPool } from './address-pool.ts';

test('addresses come from every network of the node, and come back', () => {
  let cidrs: readonly string[] = [];
  const pool = new AddressPool(() => cidrs);
  expect(() => pool.take()).toThrow('the node has no pod network yet');
  cidrs = ['10.42.3.0/24', 'fd00:42:0:3::/64'];
  expect(pool.take()).toEqual(['10.42.3.2', 'fd00:42:0:3::2']);
  const second = pool.take();
  expect(second).toEqual(['10.42.3.3', 'fd00:42:0:3::3']);
  expect(pool.take()[0]).toBe('10.42.3.4');
  pool.release(second);
  expect(pool.take()).toEqual(second);
});

test('a network gives no more addresses than it has', () => {
  const pool = new AddressPool(() => ['10.0.0.0/29']);
  expect([1, 2, 3, 4, 5].map(() => pool.take()[0])).toEqual([
    '10.0.0.2',
    '10.0.0.3',
    '10.0.0.4',
    '10.0.0.5',
    '10.0.0.6',
  ]);
  expect(() => pool.take()).toThrow('no address is left in 10.0.0.0/29');
});
