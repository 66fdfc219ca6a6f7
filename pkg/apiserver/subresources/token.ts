import { badRequest } from '../../api/errors.ts';
import type { TokenRequest } from '../../api/generated/types.ts';
import { builtinSchema } from '../../api/schema/builtin.ts';
import { decodeParsed, decodeBody as decodeSubresource } from '../../api/schema/codec.ts';
import { cloneJSON } from '../../base/json.ts';
import { type ResourceRequest, targetOf, type Verb } from '../registry/registry.ts';
import { parseWriteOptions } from '../registry/write-options.ts';
import type { TokenRequests } from './index.ts';

/** POST serviceaccounts/token. */
export function tokenVerb(issuer: TokenRequests): Verb {
  return async (core, request) => {
    const { definition, context } = request;
    const { namespace, name } = context.info;
    const options = parseWriteOptions(context, 'CreateOptions');
    core.require(definition, namespace, name);
    const type = { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' };
    const body = await subresourceBody(request, type, 'authentication.v1.TokenRequest');
    const object = body as unknown as TokenRequest;
    const target = targetOf(request, { ...options, kind: 'CreateOptions' });
    await core.admit('admit', 'CREATE', target, body as never, undefined);
    await core.admit('validate', 'CREATE', target, body as never, undefined);
    const answer = await issuer.request({ namespace, name }, object);
    return { kind: 'object', code: 201, object: { ...answer } };
  };
}

export interface BodyType {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** Decodes a subresource body of another kind than the resource's. */
export async function subresourceBody(
  request: ResourceRequest,
  type: BodyType,
  schemaName: string,
): Promise<Record<string, unknown>> {
  const body = await request.body();
  if (body === undefined) throw badRequest('the body of the request is empty');
  const schema = builtinSchema(schemaName);
  const options = { mode: 'warn', as: { ...type, schema } } as const;
  const { object } =
    'bytes' in body
      ? await decodeSubresource(request.definition, body.bytes, { ...options, contentType: body.contentType })
      : decodeParsed(schema, cloneJSON(body.value), undefined, { mode: 'ignore' });
  request.context.audit?.requested(object);
  return object;
}
