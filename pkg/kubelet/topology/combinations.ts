/** All choices of `size` items in their order: of [0, 1, 2] two are [0, 1], [0, 2], [1, 2]. */
export function* combinations<T>(items: readonly T[], size: number): Iterable<readonly T[]> {
  if (size === 0) yield [];
  if (size < 1) return;
  for (const [index, item] of items.entries()) {
    for (const rest of combinations(items.slice(index + 1), size - 1)) yield [item, ...rest];
  }
}
