import { badRequest } from '../../api/errors.ts';

/** Where a chunked list goes on: after this object, in the state of this revision (-1: in the newest). */
export interface ContinueToken {
  readonly revision: number;
  readonly namespace: string;
  readonly name: string;
}

export function encodeContinue(token: ContinueToken): string {
  const start = `${token.namespace === '' ? '' : `${token.namespace}/`}${token.name}\u0000`;
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: token.revision, start })).toString('base64url');
}

/** Throws BadRequest. */
export function decodeContinue(text: string): ContinueToken {
  let token: unknown;
  try {
    token = JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch (error) {
    throw badRequest(`continue key is not valid: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof token !== 'object' || token === null || !('v' in token) || !('rv' in token) || !('start' in token)) {
    throw badRequest('continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)');
  }
  const { v, rv, start } = token;
  if (v !== 'meta.k8s.io/v1' || typeof rv !== 'number' || !Number.isSafeInteger(rv) || typeof start !== 'string') {
    throw badRequest('continue key is not valid: server does not recognize this encoded version');
  }
  if (rv === 0 || start === '') {
    throw badRequest('continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)');
  }
  const key = start.endsWith('\u0000') ? start.slice(0, -1) : start;
  const slash = key.indexOf('/');
  return { revision: rv, namespace: slash < 0 ? '' : key.slice(0, slash), name: key.slice(slash + 1) };
}
