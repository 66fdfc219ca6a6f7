/** What is taken: by stored objects (counted: two Services cannot share, but a moment's overlap must not free early) and by writes under way. */
export class Allocator<K> {
  readonly #stored = new Map<K, number>();
  readonly #reserved = new Map<K, number>();

  isTaken(value: K): boolean {
    return this.#stored.has(value) || this.#reserved.has(value);
  }

  get takenCount(): number {
    return this.#stored.size + this.#reserved.size;
  }

  /** Holds a value for a write; call the result when the write has ended, however it ended. */
  reserve(value: K): () => void {
    increase(this.#reserved, value);
    let released = false;
    return () => {
      if (!released) decrease(this.#reserved, value);
      released = true;
    };
  }

  addStored(value: K): void {
    increase(this.#stored, value);
  }

  removeStored(value: K): void {
    decrease(this.#stored, value);
  }

  clear(): void {
    this.#stored.clear();
  }
}

/** A free one of `size` candidates, beginning at a random one; undefined when all are taken. */
export function findFree<K>(
  allocator: Pick<Allocator<K>, 'isTaken'>,
  size: number,
  at: (index: number) => K,
  random: number,
): K | undefined {
  const start = Math.floor(random * size);
  for (let i = 0; i < size; i++) {
    const candidate = at((start + i) % size);
    if (!allocator.isTaken(candidate)) return candidate;
  }
  return undefined;
}

function increase<K>(counts: Map<K, number>, value: K): void {
  counts.set(value, (counts.get(value) ?? 0) + 1);
}

function decrease<K>(counts: Map<K, number>, value: K): void {
  const count = counts.get(value) ?? 0;
  if (count > 1) counts.set(value, count - 1);
  else counts.delete(value);
}
