import { AuthorizerValue } from '../../../api/cel/index.ts';
import type { Namespace } from '../../../api/generated/types.ts';
import type { DeepReadonly, KubeObject } from '../../../api/object.ts';
import type { AdmissionAttributes } from '../../contract.ts';
import { namespaceOf } from '../matching/selectors.ts';
import { operationOptions, type RequestForm, requestFields } from '../webhook/admission-review.ts';
import type { AuthorizerHost } from './authorizer-host.ts';

export interface RequestExtras {
  readonly authorizer: AuthorizerHost;
  /** null: the policy has parameters, and the binding names none. */
  readonly params?: DeepReadonly<KubeObject> | null;
  readonly namespace?: DeepReadonly<Namespace>;
}

/** The values of the names that expressions about a request may use. */
export function requestValues(
  attributes: AdmissionAttributes,
  form: RequestForm,
  { authorizer, params, namespace }: RequestExtras,
): ReadonlyMap<string, unknown> {
  const { definition, subresource, name } = attributes;
  const { group, resource } = definition.type;
  const check = { group, resource, subresource, namespace: namespaceOf(attributes), name: name ?? '' };
  return new Map<string, unknown>([
    ['object', form.object ?? null],
    ['oldObject', form.oldObject ?? null],
    [
      'request',
      {
        name: '',
        ...requestFields(attributes, form.definition),
        dryRun: attributes.dryRun,
        options: operationOptions(attributes),
      },
    ],
    ['namespaceObject', namespace === undefined ? null : shownNamespace(namespace)],
    ['params', params ?? null],
    ['authorizer', new AuthorizerValue(authorizer)],
    ['authorizer.requestResource', new AuthorizerValue(authorizer, 'resource', check)],
  ]);
}

/** Expressions do not see who manages or owns a namespace. */
function shownNamespace({ metadata, spec, status }: DeepReadonly<Namespace>): Record<string, unknown> {
  const { managedFields: _managedFields, ownerReferences: _ownerReferences, uid, ...shown } = metadata;
  return { metadata: { ...shown, UID: uid }, spec: spec ?? {}, status: status ?? {} };
}
