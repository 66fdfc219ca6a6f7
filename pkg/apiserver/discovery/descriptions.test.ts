import { zstdCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { describer } from './descriptions.ts';

test('types and fields are described from the table, read on first use', () => {
  let reads = 0;
  const describe = describer(() => {
    reads++;
    return zstdCompressSync(JSON.stringify({ 'io.example.Pod': { '': 'A pod.', spec: 'What is wanted.' } }));
  });
  expect(reads).toBe(0);
  expect(describe('io.example.Pod')).toBe('A pod.');
  expect(describe('io.example.Pod', 'spec')).toBe('What is wanted.');
  expect(describe('io.example.Pod', 'constructor')).toBeUndefined();
  expect(describe('io.example.Node', 'spec')).toBeUndefined();
  expect(reads).toBe(1);
});

test('without a table nothing is described', () => {
  expect(describer()('io.example.Pod')).toBeUndefined();
});
