import { posix } from 'node:path';

/** How a proxied backend's own links look from outside. */
export interface LinkRewriter {
  /** The path below which clients see the backend: `/api/v1/namespaces/a/services/b/proxy`. */
  readonly prefix: string;
  /** `host:port` of the backend. */
  readonly backendHost: string;
  /** The Host header that the backend got. */
  readonly requestHost: string;
}

interface URLParts {
  readonly scheme: string;
  readonly host: string;
  readonly path: string;
  /** Query and fragment, with their marks. */
  readonly rest: string;
}

/** RFC 3986, appendix B. */
const URL_PARTS = /^(?:([^:/?#]+):)?(?:\/\/([^/?#]*))?([^?#]*)(.*)$/s;

/**
 * A link in a backend's answer as the client must see it (upstream's proxy Transport): links to the backend itself lose their
 * host and get the proxy's path in front; relative links and those to other hosts stay.
 */
export function rewriteURL(link: string, { prefix, backendHost, requestHost }: LinkRewriter): string {
  const { scheme, host, path, rest } = parse(link);
  const isForeign = host !== '' && host !== backendHost && host !== requestHost;
  if (isForeign || !path.startsWith('/')) return link;
  const origin = host === '' || host !== requestHost ? '' : `${scheme === '' ? '' : `${scheme}:`}//${host}`;
  if (path.startsWith(prefix)) return `${origin}${path}${rest}`;
  const joined = posix.join(prefix, path);
  return `${origin}${joined}${path.endsWith('/') && !joined.endsWith('/') ? '/' : ''}${rest}`;
}

function parse(link: string): URLParts {
  const [, scheme = '', host = '', path = '', rest = ''] = URL_PARTS.exec(link) ?? [];
  return { scheme, host, path, rest };
}
