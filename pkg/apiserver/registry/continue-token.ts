import { posix } from 'node:path';
import { badRequest, type StatusError } from '../../api/errors.ts';
import { parseJSON } from '../../api/schema/json-text.ts';

const { normalize } = posix;

/** Where a chunked list goes on: after this object, in the state of this revision (-1: in the newest). */
export interface ContinueToken {
  readonly revision: number;
  readonly namespace: string;
  readonly name: string;
  /** When the list began, in milliseconds since 1970; undefined: nobody knows. */
  readonly beganMs?: number;
}

export function encodeContinue(token: ContinueToken): string {
  const start = `${token.namespace === '' ? '' : `${token.namespace}/`}${token.name}\u0000`;
  const text = { v: 'meta.k8s.io/v1', rv: token.revision, start, began: token.beganMs };
  return Buffer.from(JSON.stringify(text)).toString('base64url');
}

/** Throws BadRequest. */
export function decodeContinue(text: string): ContinueToken {
  const token = parseToken(text);
  if (typeof token !== 'object' || token === null || Array.isArray(token)) throw notValid(': not an object');
  const { v, rv = 0, start = '', began } = token as Readonly<Record<string, unknown>>;
  if (typeof rv !== 'number' || !Number.isSafeInteger(rv) || typeof start !== 'string') throw notValid(': not a token');
  if (began !== undefined && typeof began !== 'number') throw notValid(': not a token');
  if (v !== 'meta.k8s.io/v1') {
    throw notValid(`: server does not recognize this encoded version ${typeof v === 'string' ? v : ''}`);
  }
  if (rv === 0) throw notValid(': incorrect encoded start resourceVersion (version meta.k8s.io/v1)');
  if (start === '') throw notValid(': encoded start key empty (version meta.k8s.io/v1)');
  const key = start.endsWith('\u0000') ? start.slice(0, -1) : start;
  // What a token names must lie within the resource.
  if (normalize(`/${key.replace(/^\//, '')}`) !== `/${key.replace(/^\//, '')}`) throw notValid(`: ${start}`);
  const slash = key.indexOf('/');
  const position = { namespace: slash < 0 ? '' : key.slice(0, slash), name: key.slice(slash + 1) };
  return { revision: rv, ...position, ...(began === undefined ? {} : { beganMs: began }) };
}

function parseToken(text: string): unknown {
  const wrong = /[^A-Za-z0-9_-]/.exec(text);
  if (wrong !== null) throw notValid(`: illegal base64 data at input byte ${wrong.index}`);
  try {
    return parseJSON(Buffer.from(text, 'base64url').toString());
  } catch (error) {
    throw notValid(`: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function notValid(problem: string): StatusError {
  return badRequest(`invalid continue token: continue key is not valid${problem}`);
}
