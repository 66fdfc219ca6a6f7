import type { TokenRequest } from '../../api/generated/types.ts';
import type { KubeObject } from '../../api/object.ts';
import { builtinSchema } from '../../api/schema/builtin.ts';
import { DEFAULT_TOKEN_SECONDS } from '../authentication/token-issuer.ts';
import type { FieldValidation } from '../object-engine.ts';
import type { RegistryCore } from '../registry/core.ts';
import { prepareQuestion } from '../registry/question.ts';
import { decodeBody, type ResourceRequest, targetOf, type Verb } from '../registry/registry.ts';
import { parseWriteOptions } from '../registry/write-options.ts';
import type { TokenRequests } from './index.ts';

const TYPE = { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' };
const SCHEMA = 'authentication.v1.TokenRequest';

/** POST serviceaccounts/token. */
export function tokenVerb(issuer: TokenRequests): Verb {
  return async (core, request) => {
    const { definition, context } = request;
    const { namespace, name } = context.info;
    const options = parseWriteOptions(context, 'CreateOptions');
    const body = await subresourceBody(core, request, TYPE, SCHEMA, options.fieldValidation);
    core.require(definition, namespace, name);
    const object = body as unknown as TokenRequest;
    object.spec = { ...object.spec, expirationSeconds: object.spec?.expirationSeconds ?? DEFAULT_TOKEN_SECONDS };
    const target = targetOf(request, { ...options, kind: 'CreateOptions' });
    const own = { ...definition, type: { ...definition.type, ...TYPE }, schema: builtinSchema(SCHEMA), strategy: {} };
    await prepareQuestion(core, target, own, body);
    await core.admit('admit', 'CREATE', target, body, undefined);
    await core.admit('validate', 'CREATE', target, body, undefined);
    const answer = await issuer.request({ namespace, name }, object);
    return { kind: 'object', code: 201, object: { ...answer } };
  };
}

export interface BodyType {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** Decodes a subresource body of another kind than the resource's, as strictly as the request wants it. */
export function subresourceBody(
  core: RegistryCore,
  request: ResourceRequest,
  type: BodyType,
  schemaName: string,
  validation: FieldValidation,
): Promise<KubeObject> {
  const { definition } = request;
  const body = {
    ...definition,
    type: { ...definition.type, ...type },
    schema: builtinSchema(schemaName),
    strategy: {},
    custom: false,
  };
  return decodeBody(core, { ...request, definition: body }, validation);
}
