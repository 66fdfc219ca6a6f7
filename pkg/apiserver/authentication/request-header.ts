import type { Clock } from '../../base/clock.ts';
import type { AuthenticatedUser, Credentials } from '../contract.ts';
import { CertificateVerifier } from './certificate-verifier.ts';

export interface RequestHeaderOptions {
  /** The authorities whose certificates a proxy may show. */
  readonly caPEM: string;
  /** The common names that a proxy may have. */
  readonly allowedNames: readonly string[];
}

const USER = 'x-remote-user';
const UID = 'x-remote-uid';
const GROUP = 'x-remote-group';
const EXTRA_PREFIX = 'x-remote-extra-';

/**
 * Users by the X-Remote-* headers of an authenticating proxy, which shows by its client certificate that it may say who makes
 * a request.
 */
export class RequestHeaders {
  readonly #verifier: CertificateVerifier<undefined>;

  constructor(options: RequestHeaderOptions, deps: { readonly clock: Clock }) {
    this.#verifier = new CertificateVerifier(options.caPEM, {
      clock: deps.clock,
      describe: ({ commonName }) => {
        if (options.allowedNames.includes(commonName)) return undefined;
        throw new Error(`${JSON.stringify(commonName)} may not name users by request headers`);
      },
    });
  }

  /**
   * undefined: the request names no user, or is not from a proxy. Throws an Error that says why a certificate is refused, which
   * may be good for somebody else.
   */
  authenticate({ peerCertificate, headers, rawHeaders }: Credentials): AuthenticatedUser | undefined {
    if (peerCertificate === undefined || headers[USER] === undefined) return undefined;
    const named = parse(rawHeaders);
    if (named === undefined) return undefined;
    this.#verifier.verify(peerCertificate);
    return { user: named };
  }
}

function parse(rawHeaders: readonly string[]): AuthenticatedUser['user'] | undefined {
  let username = '';
  let uid = '';
  const groups: string[] = [];
  const extra = new Map<string, string[]>();
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase();
    if (!name.startsWith('x-remote-')) continue;
    const value = utf8(rawHeaders[i + 1] ?? '');
    if (name === USER) username ||= value;
    else if (name === UID) uid ||= value;
    else if (name === GROUP) groups.push(value);
    else if (name.startsWith(EXTRA_PREFIX)) {
      const key = unescapeKey(name.slice(EXTRA_PREFIX.length));
      extra.set(key, [...(extra.get(key) ?? []), value]);
    }
  }
  if (username === '') return undefined;
  return {
    username,
    groups,
    ...(uid === '' ? {} : { uid }),
    ...(extra.size === 0 ? {} : { extra: Object.fromEntries(extra) }),
  };
}

/** Node reads header values byte by byte. */
function utf8(value: string): string {
  return Buffer.from(value, 'latin1').toString('utf8');
}

/** Keys may be percent-encoded, since header names cannot hold every character. */
function unescapeKey(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}
