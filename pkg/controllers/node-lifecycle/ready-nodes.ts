import { type ReadNode, readyStatus } from './node-conditions.ts';

/** The nodes that say that they are ready. Whether there is any decides about the pods of those that are not. */
export class ReadyNodes {
  readonly #names = new Set<string>();

  /** A node is there or has changed. True: the outage of all nodes has ended or begun by it. */
  note(node: ReadNode): boolean {
    const { name } = node.metadata;
    if (readyStatus(node) !== 'True') return this.forget(name);
    const isFirst = this.#names.size === 0;
    this.#names.add(name);
    return isFirst;
  }

  /** A node is gone. True: it was the last that was ready. */
  forget(name: string): boolean {
    return this.#names.delete(name) && this.#names.size === 0;
  }

  /** Whether a node other than this one is ready. */
  hasOtherThan(name: string): boolean {
    return this.#names.size > (this.#names.has(name) ? 1 : 0);
  }
}
