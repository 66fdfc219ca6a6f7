import type { PathHandler } from '../http/request-handler.ts';
import { headers, sendBytes } from '../http/response.ts';
import { checkRoute } from '../request/negotiate.ts';
import { methodNotAllowed } from '../request/pipeline.ts';

/** What relying parties need to verify ServiceAccount tokens. */
export interface OpenIDProvider {
  /** The OpenID Connect discovery document. */
  configuration(): Readonly<Record<string, unknown>>;
  /** The JSON Web Key Set. */
  keys(): Readonly<Record<string, unknown>>;
}

export function openIDHandler(provider: OpenIDProvider): PathHandler {
  return ({ context, request, response, head }) => {
    const { path, verb } = context.info;
    const isKeys = path === '/openid/v1/jwks';
    if (!isKeys && path !== '/.well-known/openid-configuration') return false;
    if (verb !== 'get') throw methodNotAllowed();
    const type = isKeys ? 'application/jwk-set+json' : 'application/json';
    checkRoute(request.headers.accept, type);
    const document = isKeys ? provider.keys() : provider.configuration();
    const fields = headers(head, type);
    fields['Cache-Control'] = 'public, max-age=3600';
    sendBytes(response, 200, fields, [Buffer.from(JSON.stringify(document))], head);
    return true;
  };
}
