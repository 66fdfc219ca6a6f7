import type { Clock } from '../../base/clock.ts';
import type { AuthenticatedUser, Credentials } from '../contract.ts';
import { CertificateVerifier } from './certificate-verifier.ts';

/** Proxies that may say who makes a request. */
export interface TrustedProxies {
  /** The authorities of their certificates. */
  readonly caPEM: string;
  /** The common names that they may have; empty: any. */
  readonly allowedNames: readonly string[];
}

/** The headers by which they say so. */
export interface HeaderNames {
  /** The first that is there counts. */
  readonly usernameHeaders: readonly string[];
  readonly uidHeaders: readonly string[];
  /** All count. */
  readonly groupHeaders: readonly string[];
  readonly extraPrefixes: readonly string[];
}

export interface RequestHeaderOptions {
  readonly proxies: readonly TrustedProxies[];
  readonly headers: HeaderNames;
}

/**
 * Users by the headers of an authenticating proxy (X-Remote-User and so on), which shows by its client certificate that it may
 * say who makes a request.
 */
export class RequestHeaders {
  readonly #verifiers: readonly CertificateVerifier<undefined>[];
  readonly #headers: HeaderNames;

  constructor({ proxies, headers }: RequestHeaderOptions, deps: { readonly clock: Clock }) {
    this.#headers = {
      usernameHeaders: headers.usernameHeaders.map(lowerCase),
      uidHeaders: headers.uidHeaders.map(lowerCase),
      groupHeaders: headers.groupHeaders.map(lowerCase),
      extraPrefixes: headers.extraPrefixes.map(lowerCase),
    };
    this.#verifiers = proxies.map(
      ({ caPEM, allowedNames }) =>
        new CertificateVerifier(caPEM, {
          clock: deps.clock,
          describe: ({ commonName }) => {
            if (allowedNames.length === 0 || allowedNames.includes(commonName)) return undefined;
            throw new Error(`${JSON.stringify(commonName)} may not name users by request headers`);
          },
        }),
    );
  }

  /**
   * undefined: the request names no user, or is not from a proxy. Throws an Error that says why a certificate is refused, which
   * may be good for somebody else.
   */
  authenticate({ peerCertificate, headers, rawHeaders }: Credentials): AuthenticatedUser | undefined {
    if (peerCertificate === undefined) return undefined;
    if (!this.#headers.usernameHeaders.some((name) => headers[name] !== undefined)) return undefined;
    const named = userOf(rawHeaders, this.#headers);
    if (named === undefined) return undefined;
    this.#verify(peerCertificate);
    return { user: named };
  }

  /** Throws the Error of the last of the authorities when none accepts the certificate. */
  #verify(certificate: Uint8Array): void {
    for (const [index, verifier] of this.#verifiers.entries()) {
      try {
        verifier.verify(certificate);
        return;
      } catch (error) {
        if (index === this.#verifiers.length - 1) throw error;
      }
    }
  }
}

function userOf(rawHeaders: readonly string[], names: HeaderNames): AuthenticatedUser['user'] | undefined {
  const values = valuesByName(rawHeaders);
  const first = (wanted: readonly string[]): string =>
    wanted.map((name) => values.get(name)?.[0] ?? '').find((value) => value !== '') ?? '';
  const username = first(names.usernameHeaders);
  if (username === '') return undefined;
  const uid = first(names.uidHeaders);
  const extra = new Map<string, string[]>();
  for (const [name, list] of values) {
    const prefix = names.extraPrefixes.find((one) => name.startsWith(one));
    if (prefix === undefined) continue;
    const key = unescapeKey(name.slice(prefix.length));
    extra.set(key, [...(extra.get(key) ?? []), ...list]);
  }
  return {
    username,
    groups: names.groupHeaders.flatMap((name) => values.get(name) ?? []),
    ...(uid === '' ? {} : { uid }),
    ...(extra.size === 0 ? {} : { extra: Object.fromEntries(extra) }),
  };
}

function valuesByName(rawHeaders: readonly string[]): Map<string, string[]> {
  const values = new Map<string, string[]>();
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = lowerCase(rawHeaders[i] ?? '');
    const value = utf8(rawHeaders[i + 1] ?? '');
    const known = values.get(name);
    if (known === undefined) values.set(name, [value]);
    else known.push(value);
  }
  return values;
}

function lowerCase(text: string): string {
  return text.toLowerCase();
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
