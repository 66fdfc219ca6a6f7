import type { DeepReadonly, KubeObject } from '../../../api/object.ts';
import { cloneJSON, equalJSON } from '../../../base/json.ts';
import type { AdmissionAttributes } from '../../contract.ts';

/**
 * Who has to be asked again, of webhooks or policies with reinvocationPolicy IfNeeded: all that were asked before somebody
 * changed the object. Kept from the first round to the second.
 */
export class ReinvocationState {
  #output: DeepReadonly<KubeObject> | undefined;
  #asked = new Set<string>();
  readonly #again = new Set<string>();

  /** The state of a plugin; at the start of the second round it sees whether the plugins between have changed the object. */
  static of(plugin: string, attributes: AdmissionAttributes): ReinvocationState {
    const { kept, isSecondRound } = attributes.reinvocation;
    let state = kept.get(plugin) as ReinvocationState | undefined;
    if (state === undefined) {
      state = new ReinvocationState();
      kept.set(plugin, state);
    }
    if (isSecondRound && !equalJSON(state.#output, attributes.object)) state.#requireAll();
    return state;
  }

  /** The object has been changed: those before are asked again, and all other plugins run again. */
  changed(attributes: AdmissionAttributes): void {
    this.#requireAll();
    attributes.reinvocation.request();
  }

  /** Remembers that somebody with reinvocationPolicy IfNeeded has been asked. */
  asked(id: string): void {
    this.#asked.add(id);
  }

  /** In the second round. */
  mustAskAgain(id: string): boolean {
    return this.#again.has(id);
  }

  /** At the end of a round. */
  end(attributes: AdmissionAttributes): void {
    if (attributes.object !== undefined) this.#output = cloneJSON(attributes.object) as KubeObject;
  }

  #requireAll(): void {
    for (const id of this.#asked) this.#again.add(id);
    this.#asked = new Set();
  }
}
