import { randomUUID } from 'node:crypto';
import type { ResourceDefinition } from '../../../api/definition.ts';
import type { Status } from '../../../api/generated/types.ts';
import type { DeepReadonly, KubeObject } from '../../../api/object.ts';
import type { AdmissionAttributes } from '../../contract.ts';
import { type Review, WebhookCallError } from '../../webhooks/index.ts';
import { namespaceOf } from '../matching/selectors.ts';
import { type GroupVersionKind, kindOf } from '../matching/versions.ts';

/** The object of a request in the version that a webhook wants, and as the JSON that goes to it. */
export interface RequestForm {
  readonly definition: ResourceDefinition;
  readonly object: DeepReadonly<KubeObject> | undefined;
  readonly oldObject: DeepReadonly<KubeObject> | undefined;
  readonly objectText: string;
  readonly oldObjectText: string;
}

export interface AdmissionReview {
  readonly uid: string;
  readonly version: string;
  /** JSON. */
  readonly text: string;
}

const VERSIONS: readonly string[] = ['v1', 'v1beta1'];

/** The review of a request, in the first version that the webhook and the server know. Throws WebhookCallError. */
export function admissionReview(
  attributes: AdmissionAttributes,
  form: RequestForm,
  accepted: readonly string[],
): AdmissionReview {
  const version = accepted.find((one) => VERSIONS.includes(one));
  if (version === undefined) {
    const problem = 'webhook does not accept known AdmissionReview versions (v1, v1beta1)';
    throw new WebhookCallError(`could not create admission objects: ${problem}`);
  }
  const uid = randomUUID();
  const head = JSON.stringify({ uid, ...requestFields(attributes, form.definition) });
  const tail = JSON.stringify({ dryRun: attributes.dryRun, options: operationOptions(attributes) });
  // The objects are text already: several webhooks may get the same ones.
  const request = `${head.slice(0, -1)},"object":${form.objectText},"oldObject":${form.oldObjectText},${tail.slice(1)}`;
  const text = `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/${version}","request":${request}}`;
  return { uid, version, text };
}

/** What is said of a request beside its objects; `definition` is the version that it is converted to. */
export function requestFields(
  attributes: AdmissionAttributes,
  definition: ResourceDefinition,
): Record<string, unknown> {
  const { subresource, operation, user, name } = attributes;
  const namespace = namespaceOf(attributes);
  const { username, uid, groups, extra } = user;
  const resourceOf = ({ type }: ResourceDefinition): unknown => ({
    group: type.group,
    version: type.version,
    resource: type.resource,
  });
  return {
    kind: shown(kindOf(definition, subresource)),
    resource: resourceOf(definition),
    ...(subresource === '' ? {} : { subResource: subresource }),
    requestKind: shown(kindOf(attributes.definition, subresource)),
    requestResource: resourceOf(attributes.definition),
    ...(subresource === '' ? {} : { requestSubResource: subresource }),
    ...(name ? { name } : {}),
    ...(namespace === '' ? {} : { namespace }),
    operation,
    userInfo: {
      username,
      ...(uid ? { uid } : {}),
      ...(groups.length > 0 ? { groups } : {}),
      ...(extra === undefined || Object.keys(extra).length === 0 ? {} : { extra }),
    },
  };
}

function shown({ group, version, kind }: GroupVersionKind): GroupVersionKind {
  return { group, version, kind };
}

const OPTION_KINDS = { CREATE: 'CreateOptions', UPDATE: 'UpdateOptions', DELETE: 'DeleteOptions' } as const;

/** Patches are updates or creations to admission. */
export function operationOptions({ operation, options }: AdmissionAttributes): Record<string, unknown> | null {
  if (operation === 'CONNECT') return null;
  return { ...options, kind: OPTION_KINDS[operation], apiVersion: 'meta.k8s.io/v1' };
}

export interface AdmissionResponse {
  readonly allowed: boolean;
  readonly status: Status | undefined;
  /** JSON text; absent when nothing is to be changed. */
  readonly patch: string | undefined;
  readonly warnings: readonly string[];
  readonly auditAnnotations: Readonly<Record<string, string>>;
}

/** Checks the answer to a review; the texts are upstream's. Throws WebhookCallError. */
export function admissionResponse(review: Review, sent: AdmissionReview, mutating: boolean): AdmissionResponse {
  const wrong = (text: string): WebhookCallError => new WebhookCallError(`received invalid webhook response: ${text}`);
  const { response, apiVersion, kind } = review;
  if (typeof response !== 'object' || response === null) throw wrong('webhook response was absent');
  const fields = response as Readonly<Record<string, unknown>>;
  if (sent.version === 'v1') {
    const expected = 'admission.k8s.io/v1, Kind=AdmissionReview';
    if (fields['uid'] !== sent.uid) {
      throw wrong(`expected response.uid=${JSON.stringify(sent.uid)}, got ${JSON.stringify(fields['uid'] ?? '')}`);
    }
    const got = `${apiVersion}, Kind=${kind}`;
    if (got !== expected) throw wrong(`expected webhook response of ${expected}, got ${got}`);
  }
  return {
    allowed: fields['allowed'] === true,
    status: asObject(fields['status']) as Status | undefined,
    patch: mutating ? patchOf(fields, sent.version, wrong) : refusePatch(fields, sent.version, wrong),
    warnings: asTexts(fields['warnings']),
    auditAnnotations: textMembers(fields['auditAnnotations']),
  };
}

type Fields = Readonly<Record<string, unknown>>;

function patchOf({ patch, patchType }: Fields, version: string, wrong: (text: string) => Error): string | undefined {
  const hasPatch = typeof patch === 'string' && patch !== '';
  const hasType = patchType !== undefined && patchType !== null;
  if (version === 'v1') {
    if (hasPatch && !hasType) throw wrong('webhook returned response.patch but not response.patchType');
    if (!hasPatch && hasType) throw wrong('webhook returned response.patchType but not response.patch');
    if (patchType === '') throw wrong('webhook returned invalid response.patchType of ""');
  }
  if (!hasPatch) {
    if (patch !== undefined && patch !== null && patch !== '') throw wrong('response.patch is no base64 text');
    return undefined;
  }
  if (hasType && patchType !== 'JSONPatch')
    throw new WebhookCallError(`unsupported patch type ${JSON.stringify(patchType)}`);
  if (!/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(patch)) throw wrong('illegal base64 data in response.patch');
  return Buffer.from(patch, 'base64').toString();
}

function refusePatch({ patch, patchType }: Fields, version: string, wrong: (text: string) => Error): undefined {
  if (version !== 'v1') return;
  if (patch !== undefined && patch !== null && patch !== '') {
    throw wrong('validating webhook may not return response.patch');
  }
  if (patchType !== undefined && patchType !== null) {
    throw wrong('validating webhook may not return response.patchType');
  }
}

function asObject(value: unknown): object | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
}

function asTexts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
}

function textMembers(value: unknown): Record<string, string> {
  const members = Object.entries(asObject(value) ?? {}).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return Object.fromEntries(members);
}
