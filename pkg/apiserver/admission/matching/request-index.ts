import type { ResourceDefinition } from '../../../api/definition.ts';
import type { Operation } from '../../contract.ts';

/** What may apply to an operation on a resource or subresource, found once for each and kept until something changes. */
export class RequestIndex<T> {
  readonly #find: (operation: Operation, definition: ResourceDefinition, subresource: string) => readonly T[];
  readonly #generation: () => number;
  #known = new WeakMap<ResourceDefinition, Map<string, readonly T[]>>();
  #knownGeneration = -1;

  /** `generation` grows with every change of what is served. */
  constructor(
    find: (operation: Operation, definition: ResourceDefinition, subresource: string) => readonly T[],
    generation: () => number,
  ) {
    this.#find = find;
    this.#generation = generation;
  }

  get(operation: Operation, definition: ResourceDefinition, subresource: string): readonly T[] {
    const generation = this.#generation();
    if (generation !== this.#knownGeneration) {
      this.reset();
      this.#knownGeneration = generation;
    }
    let byRequest = this.#known.get(definition);
    if (byRequest === undefined) {
      byRequest = new Map();
      this.#known.set(definition, byRequest);
    }
    const key = `${operation}/${subresource}`;
    let found = byRequest.get(key);
    if (found === undefined) {
      found = this.#find(operation, definition, subresource);
      byRequest.set(key, found);
    }
    return found;
  }

  /** To be called when what may apply has changed. */
  reset(): void {
    this.#known = new WeakMap();
  }
}
