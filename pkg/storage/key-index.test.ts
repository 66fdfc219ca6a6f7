import { describe, expect, it } from 'vitest';
import { KeyIndex } from './key-index.ts';

describe('KeyIndex', () => {
  it('agrees with a sorted array under random changes', () => {
    const index = new KeyIndex();
    const model = new Set<string>();
    let seed = 7;
    const random = (below: number): number => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return seed % below;
    };
    for (let i = 0; i < 20_000; i++) {
      const key = `/${['a', 'ab', 'b'][random(3)]}/${random(3000)}`;
      if (random(3) === 0) {
        index.delete(key);
        model.delete(key);
      } else {
        index.set({ key, createRevision: 1, modRevision: i });
        model.add(key);
      }
    }
    const sorted = [...model].sort();
    for (const prefix of ['', '/', '/a', '/a/', '/ab/1', '/b/', '/c', '/b/2999']) {
      const expected = sorted.filter((key) => key.startsWith(prefix));
      expect([...index.range(prefix)].map((entry) => entry.key)).toEqual(expected);
      expect(index.count(prefix)).toBe(expected.length);
    }
    const start = '/ab/2';
    expect([...index.range('/ab/', start)].map((entry) => entry.key)).toEqual(
      sorted.filter((key) => key.startsWith('/ab/') && key >= start),
    );
    expect(index.size).toBe(model.size);
  });

  it('takes keys in order and gives them back', () => {
    const index = new KeyIndex();
    const keys = Array.from({ length: 5000 }, (_, i) => `k${String(i).padStart(6, '0')}`);
    for (const key of keys) index.set({ key, createRevision: 1, modRevision: 1 });
    expect([...index.range('k')].map((entry) => entry.key)).toEqual(keys);
    for (const key of keys) index.delete(key);
    expect([...index.range('')]).toEqual([]);
    expect(index.count('k')).toBe(0);
  });
});
