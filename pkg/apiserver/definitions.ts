import type { ResourceDefinition } from '../api/definition.ts';

/** Names a resource in one version. */
export interface ResourceName {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
}

/** The resources that the server serves; may change at run time. Listeners (discovery, OpenAPI) recompute when asked next. */
export class Definitions {
  readonly #definitions = new Map<string, ResourceDefinition>();
  #generation = 0;

  constructor(initial: readonly ResourceDefinition[]) {
    for (const definition of initial) this.#definitions.set(keyOf(definition.type), definition);
  }

  /** Grows with every change: a cheap validity check for what is derived from the definitions. */
  get generation(): number {
    return this.#generation;
  }

  get(group: string, version: string, resource: string): ResourceDefinition | undefined {
    return this.#definitions.get(`${group}/${version}/${resource}`);
  }

  of(type: ResourceName): ResourceDefinition | undefined {
    return this.#definitions.get(keyOf(type));
  }

  all(): Iterable<ResourceDefinition> {
    return this.#definitions.values();
  }

  /** Adds or replaces. */
  add(definition: ResourceDefinition): void {
    this.#definitions.set(keyOf(definition.type), definition);
    this.#generation++;
  }

  remove(type: ResourceName): void {
    if (this.#definitions.delete(keyOf(type))) this.#generation++;
  }
}

function keyOf(type: ResourceName): string {
  return `${type.group}/${type.version}/${type.resource}`;
}
