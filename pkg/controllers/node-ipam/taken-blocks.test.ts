import { expect, test } from 'vitest';
import { CIDRBlocks } from './cidr-blocks.ts';
import { TakenBlocks } from './taken-blocks.ts';

test('blocks are given in turn, and rest after they are free again', () => {
  const blocks = new TakenBlocks(new CIDRBlocks('10.42.0.0/22', 24));
  const next = (): string | undefined => {
    const index = blocks.free();
    if (index === undefined) return undefined;
    const cidr = blocks.give(index);
    blocks.take(cidr);
    return cidr;
  };
  // Of somebody whose networks are larger than a block, and overlap.
  blocks.take('10.42.0.0/23');
  blocks.take('10.42.1.0/24');
  blocks.take('192.0.2.0/24');
  expect([next(), next(), next()]).toEqual(['10.42.2.0/24', '10.42.3.0/24', undefined]);
  blocks.release('10.42.0.0/23');
  expect(next()).toBe('10.42.0.0/24');
  blocks.release('10.42.0.0/24');
  blocks.release('10.42.1.0/24');
  expect(next()).toBe('10.42.1.0/24');
});
