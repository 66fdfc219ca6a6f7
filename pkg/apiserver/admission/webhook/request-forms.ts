import type { ResourceDefinition } from '../../../api/definition.ts';
import { internalError } from '../../../api/errors.ts';
import type { DeepReadonly, KubeObject } from '../../../api/object.ts';
import type { AdmissionAttributes } from '../../contract.ts';
import type { Versions } from '../matching/versions.ts';
import type { RequestForm } from './admission-review.ts';

/** The objects of one request in the versions that webhooks and policies want, each converted once. */
export class RequestForms {
  readonly #attributes: AdmissionAttributes;
  readonly #versions: Versions;
  readonly #forms = new Map<ResourceDefinition, Promise<RequestForm>>();

  constructor(attributes: AdmissionAttributes, versions: Versions) {
    this.#attributes = attributes;
    this.#versions = versions;
  }

  /** Throws InternalError for what cannot be converted. */
  in(definition: ResourceDefinition): Promise<RequestForm> {
    let form = this.#forms.get(definition);
    if (form === undefined) {
      form = this.#make(definition);
      this.#forms.set(definition, form);
    }
    return form;
  }

  /** The object of the request has changed. */
  reset(): void {
    this.#forms.clear();
  }

  async #make(definition: ResourceDefinition): Promise<RequestForm> {
    const { object, oldObject } = this.#attributes;
    const [now, before] = await Promise.all([this.#convert(object, definition), this.#convert(oldObject, definition)]);
    return {
      definition,
      object: now,
      oldObject: before,
      objectText: JSON.stringify(now ?? null),
      oldObjectText: JSON.stringify(before ?? null),
    };
  }

  async #convert(
    object: DeepReadonly<KubeObject> | undefined,
    to: ResourceDefinition,
  ): Promise<DeepReadonly<KubeObject> | undefined> {
    const { definition, subresource } = this.#attributes;
    if (object === undefined || to === definition) return object;
    try {
      return await this.#versions.convert(object, definition, to, subresource);
    } catch (error) {
      throw internalError(error);
    }
  }
}
