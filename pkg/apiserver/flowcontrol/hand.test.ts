import { expect, test } from 'vitest';
import { dealHand } from './hand.ts';

test('a hand has different queues, the same every time', () => {
  for (let i = 0; i < 500; i++) {
    const hand = dealHand(`schema/user-${i}`, 64, 6);
    expect(new Set(hand).size).toBe(6);
    for (const queue of hand) expect(queue >= 0 && queue < 64).toBe(true);
    expect(dealHand(`schema/user-${i}`, 64, 6)).toEqual(hand);
  }
});

test('hands are spread over all queues, and hardly any two are the same', () => {
  const uses = new Array<number>(64).fill(0);
  const hands = new Set<string>();
  for (let i = 0; i < 3200; i++) {
    const hand = dealHand(`schema/user-${i}`, 64, 6);
    hands.add([...hand].sort().join());
    for (const queue of hand) uses[queue] = (uses[queue] ?? 0) + 1;
  }
  // 300 expected of each.
  expect(Math.min(...uses)).toBeGreaterThan(200);
  expect(Math.max(...uses)).toBeLessThan(400);
  expect(hands.size).toBeGreaterThan(3190);
});

test('a hand of all queues has each of them', () => {
  expect(dealHand('f', 4, 4).sort()).toEqual([0, 1, 2, 3]);
  expect(dealHand('f', 2, 8).sort()).toEqual([0, 1]);
});
