/** Answers to the review kinds, which are computed and never stored: access reviews, self reviews and token reviews. */
import { badRequest, invalid } from '../../api/errors.ts';
import type { FieldSelector } from '../../api/field-selector.ts';
import type {
  FieldSelectorAttributes,
  LabelSelectorAttributes,
  LocalSubjectAccessReview,
  NonResourceRule,
  ResourceRule,
  SelfSubjectAccessReview,
  SelfSubjectReview,
  SelfSubjectRulesReview,
  SubjectAccessReview,
  SubjectAccessReviewStatus,
  TokenReview,
} from '../../api/generated/types.ts';
import type { LabelQuery } from '../../api/label-query.ts';
import type { KubeObject } from '../../api/object.ts';
import { formatTime } from '../../api/time.ts';
import type { UserInfo } from '../../api/user.ts';
import * as field from '../../api/validation/field-error.ts';
import { cloneJSON, type DeepReadonly } from '../../base/json.ts';
import type { TokenAuthenticator } from '../authentication/bearer-token.ts';
import { tokenReview } from '../authentication/token-review.ts';
import type { AuthorizationAttributes, Authorizer } from '../contract.ts';
import { readSelectors } from '../request/request-info.ts';
import { compactRules } from './covers.ts';
import type { RBACAuthorizer } from './rbac.ts';
import { type AttributesSpec, invalidPath, validateMetadata, validateSpec } from './review-validation.ts';

export interface ReviewDeps {
  readonly authorizer: Authorizer;
  readonly rbac: RBACAuthorizer;
  readonly tokens: readonly TokenAuthenticator[];
  /** The API server's own audiences. */
  readonly audiences: readonly string[];
}

/** `namespace` is the one in the path ('' when there is none). Throws StatusError for a review that is wrong. */
export type ReviewHandler = (
  body: DeepReadonly<KubeObject>,
  user: UserInfo,
  deps: ReviewDeps,
  namespace: string,
  nowMs: number,
) => KubeObject | Promise<KubeObject>;

const AUTHORIZATION = 'authorization.k8s.io';
const LABEL_OPERATORS: ReadonlySet<string> = new Set(['In', 'NotIn', 'Exists', 'DoesNotExist']);

/** By `group/resource`. */
export const reviewHandlers: ReadonlyMap<string, ReviewHandler> = new Map<string, ReviewHandler>([
  ['authorization.k8s.io/subjectaccessreviews', handler(subjectAccessReview)],
  ['authorization.k8s.io/localsubjectaccessreviews', handler(localSubjectAccessReview)],
  ['authorization.k8s.io/selfsubjectaccessreviews', handler(selfSubjectAccessReview)],
  ['authorization.k8s.io/selfsubjectrulesreviews', handler(selfSubjectRulesReview)],
  ['authentication.k8s.io/selfsubjectreviews', handler(selfSubjectReview)],
  [
    'authentication.k8s.io/tokenreviews',
    handler((body: TokenReview, _user, deps) => tokenReview(body, deps.tokens, deps.audiences)),
  ],
]);

/** The objects have been decoded against the schema of their kind, so they are of type `T`. */
function handler<T>(
  answer: (body: T, user: UserInfo, deps: ReviewDeps, namespace: string, nowMs: number) => T | Promise<T>,
): ReviewHandler {
  return async (body, user, deps, namespace, nowMs) => {
    const own = { ...cloneJSON(body), metadata: cloneJSON(body.metadata ?? {}) };
    return (await answer(own as unknown as T, user, deps, namespace, nowMs)) as unknown as KubeObject;
  };
}

type Spec = SubjectAccessReview['spec'];

/** Upstream's reviews have lost the name of their kind when they are checked. */
const UNNAMED = { group: AUTHORIZATION, kind: '' };

async function subjectAccessReview(
  body: SubjectAccessReview,
  _user: UserInfo,
  deps: ReviewDeps,
): Promise<SubjectAccessReview> {
  const errors = [...validateSpec(body.spec, true), ...validateMetadata(body.metadata)];
  if (errors.length > 0) throw invalid(UNNAMED, '', errors);
  return { ...body, status: await evaluate(deps, subjectOf(body.spec), body.spec) };
}

async function localSubjectAccessReview(
  body: LocalSubjectAccessReview,
  _user: UserInfo,
  deps: ReviewDeps,
  namespace: string,
): Promise<LocalSubjectAccessReview> {
  const errors = [...validateSpec(body.spec, true), ...validateMetadata(body.metadata, 'namespace')];
  const { resourceAttributes, nonResourceAttributes } = body.spec ?? {};
  const asked = resourceAttributes?.namespace ?? '';
  if (resourceAttributes !== undefined && asked !== namespace)
    errors.push(field.invalid('spec.resourceAttributes.namespace', asked, 'must match metadata.namespace'));
  if (nonResourceAttributes !== undefined)
    errors.push(invalidPath(nonResourceAttributes, 'disallowed on this kind of request'));
  if (errors.length > 0) throw invalid(UNNAMED, '', errors);
  return { ...body, status: await evaluate(deps, subjectOf(body.spec), body.spec) };
}

async function selfSubjectAccessReview(
  body: SelfSubjectAccessReview,
  user: UserInfo,
  deps: ReviewDeps,
): Promise<SelfSubjectAccessReview> {
  const errors = [...validateSpec(body.spec, false), ...validateMetadata(body.metadata)];
  if (errors.length > 0) throw invalid(UNNAMED, '', errors);
  return { ...body, status: await evaluate(deps, user, body.spec) };
}

function selfSubjectRulesReview(
  body: SelfSubjectRulesReview,
  user: UserInfo,
  deps: ReviewDeps,
): SelfSubjectRulesReview {
  const namespace = body.spec?.namespace ?? '';
  if (namespace === '') throw badRequest('no namespace on request');
  const { rules, errors } = deps.rbac.rulesFor(user, namespace);
  const resourceRules: ResourceRule[] = [];
  const nonResourceRules: NonResourceRule[] = [];
  for (const rule of compactRules(rules)) {
    const { verbs, apiGroups, resources, resourceNames, nonResourceURLs } = cloneJSON(rule);
    if (resources?.length)
      resourceRules.push({
        verbs,
        apiGroups: apiGroups ?? [],
        resources,
        ...(resourceNames?.length ? { resourceNames } : {}),
      });
    if (nonResourceURLs?.length) nonResourceRules.push({ verbs, nonResourceURLs });
  }
  // The answer does not repeat the question.
  return {
    ...body,
    metadata: {} as SelfSubjectRulesReview['metadata'],
    spec: {},
    status: {
      resourceRules,
      nonResourceRules,
      incomplete: errors.length > 0,
      ...(errors.length === 0 ? {} : { evaluationError: errors.join(', ') }),
    },
  };
}

function selfSubjectReview(
  body: SelfSubjectReview,
  user: UserInfo,
  _deps: ReviewDeps,
  _namespace: string,
  nowMs: number,
): SelfSubjectReview {
  return {
    ...body,
    metadata: { creationTimestamp: formatTime(nowMs) } as SelfSubjectReview['metadata'],
    status: {
      userInfo: {
        username: user.username,
        ...(user.uid === undefined ? {} : { uid: user.uid }),
        groups: [...user.groups],
        ...(user.extra === undefined ? {} : { extra: cloneJSON(user.extra) as Record<string, string[]> }),
      },
    },
  };
}

async function evaluate(deps: ReviewDeps, user: UserInfo, spec: AttributesSpec): Promise<SubjectAccessReviewStatus> {
  const fields = fieldSelectorOf(spec.resourceAttributes?.fieldSelector);
  const labels = labelSelectorOf(spec.resourceAttributes?.labelSelector);
  const attributes = { ...attributesOf(user, spec), ...fields.read, ...labels.read };
  const { decision, reason } = await deps.authorizer.authorize(attributes);
  const ignored = [
    ...ignoredText('fieldSelector', fields.ignored, fields.read.fieldSelector),
    ...ignoredText('labelSelector', labels.ignored, labels.read.labelSelector),
  ];
  return {
    allowed: decision === 'allow',
    ...(decision === 'deny' ? { denied: true } : {}),
    ...(reason === '' ? {} : { reason }),
    ...(ignored.length === 0 ? {} : { evaluationError: ignored.join('; ') }),
  };
}

function attributesOf(user: UserInfo, spec: AttributesSpec): AuthorizationAttributes {
  const asked = spec.resourceAttributes;
  return {
    user,
    isResourceRequest: asked !== undefined,
    path: spec.nonResourceAttributes?.path ?? '',
    verb: (asked?.verb ?? spec.nonResourceAttributes?.verb ?? '').toString(),
    group: asked?.group ?? '',
    version: asked?.version ?? '',
    resource: asked?.resource ?? '',
    subresource: asked?.subresource ?? '',
    namespace: asked?.namespace ?? '',
    name: asked?.name ?? '',
    subpath: '',
  };
}

/** A selector of a review as far as it can be read: what cannot be read limits nothing. */
interface ReadSelector<T> {
  readonly read: T;
  readonly ignored: boolean;
}

function fieldSelectorOf(
  selector: FieldSelectorAttributes | undefined,
): ReadSelector<{ fieldSelector?: FieldSelector }> {
  if (selector === undefined) return { read: {}, ignored: false };
  if (selector.rawSelector) {
    const read = readSelectors(selector.rawSelector, '') ?? {};
    return { read, ignored: !('fieldSelector' in read) };
  }
  const requirements = selector.requirements ?? [];
  const fieldSelector = requirements.flatMap(({ key, operator, values = [] }) =>
    values.length === 1 && (operator === 'In' || operator === 'NotIn')
      ? [{ field: key, equal: operator === 'In', value: values[0] ?? '' }]
      : [],
  );
  return { read: { fieldSelector }, ignored: fieldSelector.length < requirements.length };
}

function labelSelectorOf(selector: LabelSelectorAttributes | undefined): ReadSelector<{ labelSelector?: LabelQuery }> {
  if (selector === undefined) return { read: {}, ignored: false };
  if (selector.rawSelector) {
    const read = readSelectors('', selector.rawSelector) ?? {};
    return { read, ignored: !('labelSelector' in read) };
  }
  const requirements = selector.requirements ?? [];
  const labelSelector = requirements.filter(({ operator }) => LABEL_OPERATORS.has(operator));
  return { read: { labelSelector }, ignored: labelSelector.length < requirements.length };
}

function ignoredText(name: string, ignored: boolean, read: { readonly length: number } | undefined): string[] {
  if (!ignored) return [];
  const how = (read?.length ?? 0) > 0 ? 'partially ignored' : 'ignored';
  return [`spec.resourceAttributes.${name} ${how} due to parse error`];
}

function subjectOf(spec: Spec): UserInfo {
  return {
    username: spec.user ?? '',
    groups: spec.groups ?? [],
    ...(spec.uid ? { uid: spec.uid } : {}),
    ...(spec.extra === undefined ? {} : { extra: spec.extra }),
  };
}
