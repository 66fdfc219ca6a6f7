import { resources } from '../../api/generated/resources.ts';
import type { Pod } from '../../api/generated/types.ts';
import { podReferences, type Reference } from '../../api/pod-references.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type { ObjectReader } from '../contract.ts';

/** Which objects the pods of each node refer to; follows the pods as they change. */
export class NodeReferences {
  readonly #byPod = new Map<string, { readonly node: string; readonly references: Set<Reference> }>();
  /** Node -> reference -> how many of its pods have it. */
  readonly #byNode = new Map<string, Map<Reference, number>>();

  static watch(reader: ObjectReader): { readonly references: NodeReferences; readonly stop: () => void } {
    const references = new NodeReferences();
    const stop = reader.onChange(resources.pods, (pod, change) => references.#set(pod, change !== 'DELETED'));
    for (const pod of reader.list(resources.pods)) references.#set(pod, true);
    return { references, stop };
  }

  has(node: string, resource: string, namespace: string, name: string): boolean {
    return this.#byNode.get(node)?.has(`${resource}/${namespace}/${name}`) === true;
  }

  /** The names of one kind of object that the node's pods refer to, as `namespace/name`. */
  *ofKind(node: string, resource: string): Iterable<string> {
    for (const reference of this.#byNode.get(node)?.keys() ?? []) {
      if (reference.startsWith(`${resource}/`)) yield reference.slice(resource.length + 1);
    }
  }

  #set(pod: DeepReadonly<Pod>, present: boolean): void {
    const key = `${pod.metadata.namespace}/${pod.metadata.name}`;
    const old = this.#byPod.get(key);
    const node = present ? (pod.spec.nodeName ?? '') : '';
    if (old !== undefined) {
      this.#byPod.delete(key);
      this.#count(old.node, old.references, -1);
    }
    if (node === '') return;
    const references = podReferences(pod).add(`pods/${key}`);
    this.#byPod.set(key, { node, references });
    this.#count(node, references, 1);
  }

  #count(node: string, references: Iterable<Reference>, by: 1 | -1): void {
    let counts = this.#byNode.get(node);
    if (counts === undefined) {
      counts = new Map();
      this.#byNode.set(node, counts);
    }
    for (const reference of references) {
      const count = (counts.get(reference) ?? 0) + by;
      if (count > 0) counts.set(reference, count);
      else counts.delete(reference);
    }
    if (counts.size === 0) this.#byNode.delete(node);
  }
}
