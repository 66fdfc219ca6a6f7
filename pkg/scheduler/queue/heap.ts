/** A binary heap; `less` says which of two items comes out first. Items can be removed by identity. */
export class Heap<T> {
  readonly #less: (a: T, b: T) => boolean;
  readonly #items: T[] = [];
  readonly #positions = new Map<T, number>();

  constructor(less: (a: T, b: T) => boolean) {
    this.#less = less;
  }

  get size(): number {
    return this.#items.length;
  }

  peek(): T | undefined {
    return this.#items[0];
  }

  has(item: T): boolean {
    return this.#positions.has(item);
  }

  push(item: T): void {
    if (this.#positions.has(item)) return;
    this.#items.push(item);
    this.#positions.set(item, this.#items.length - 1);
    this.#up(this.#items.length - 1);
  }

  pop(): T | undefined {
    const [first] = this.#items;
    if (first !== undefined) this.remove(first);
    return first;
  }

  remove(item: T): boolean {
    const position = this.#positions.get(item);
    if (position === undefined) return false;
    const last = this.#items.length - 1;
    this.#swap(position, last);
    this.#items.pop();
    this.#positions.delete(item);
    if (position < this.#items.length) {
      this.#up(position);
      this.#down(position);
    }
    return true;
  }

  #up(position: number): void {
    while (position > 0) {
      const parent = (position - 1) >> 1;
      if (!this.#before(position, parent)) return;
      this.#swap(position, parent);
      position = parent;
    }
  }

  #down(position: number): void {
    for (;;) {
      let first = position;
      for (const child of [2 * position + 1, 2 * position + 2])
        if (child < this.#items.length && this.#before(child, first)) first = child;
      if (first === position) return;
      this.#swap(position, first);
      position = first;
    }
  }

  #before(a: number, b: number): boolean {
    return this.#less(this.#items[a] as T, this.#items[b] as T);
  }

  #swap(a: number, b: number): void {
    if (a === b) return;
    const left = this.#items[a] as T;
    const right = this.#items[b] as T;
    this.#items[a] = right;
    this.#items[b] = left;
    this.#positions.set(right, a);
    this.#positions.set(left, b);
  }
}
