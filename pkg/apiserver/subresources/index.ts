import type { TokenRequest } from '../../api/generated/types.ts';
import type { DeepReadonly, KubeObject } from '../../api/object.ts';
import { type ReviewDeps, reviewHandlers } from '../authorization/reviews.ts';
import { prepareQuestion } from '../registry/question.ts';
import type { Verb } from '../registry/registry.ts';
import { decodeBody, targetOf } from '../registry/registry.ts';
import { parseWriteOptions } from '../registry/write-options.ts';
import { bindPod, createBinding } from './binding.ts';
import { evictPod } from './eviction.ts';
import { scale } from './scale.ts';
import { tokenVerb } from './token.ts';

/** Issues ServiceAccount tokens. */
export interface TokenRequests {
  request(
    key: { readonly namespace: string; readonly name: string },
    body: DeepReadonly<TokenRequest>,
  ): TokenRequest | Promise<TokenRequest>;
}

/** Subresources whose bodies or effects are their own; all others are plain reads and writes of the object. */
export function subresourceVerbs(deps: { readonly tokenIssuer: TokenRequests | undefined }): ReadonlyMap<string, Verb> {
  return new Map<string, Verb>([
    ['scale', scale],
    ['/pods/binding', bindPod],
    ['/pods/eviction', evictPod],
    ...(deps.tokenIssuer === undefined ? [] : ([['/serviceaccounts/token', tokenVerb(deps.tokenIssuer)]] as const)),
  ]);
}

/** Resources that are answered, not stored. */
export function virtualVerbs(deps: { readonly reviews: ReviewDeps | undefined }): ReadonlyMap<string, Verb> {
  const verbs = new Map<string, Verb>([['/bindings', createBinding]]);
  const { reviews } = deps;
  if (reviews === undefined) return verbs;
  for (const [name, handler] of reviewHandlers) {
    verbs.set(name, async (core, request) => {
      const options = parseWriteOptions(request.context, 'CreateOptions');
      const body = await decodeBody(core, request, options.fieldValidation);
      const target = targetOf(request, { ...options, kind: 'CreateOptions' });
      await prepareQuestion(core, target, request.definition, body);
      await core.admit('admit', 'CREATE', target, body, undefined);
      await core.admit('validate', 'CREATE', target, body, undefined);
      const { user, info } = request.context;
      const object: KubeObject = await handler(body, user, reviews, info.namespace, core.deps.clock.now());
      return { kind: 'object', code: 201, object };
    });
  }
  return verbs;
}
