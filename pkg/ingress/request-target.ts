/** Where a request wants to go, as the routing table compares it. */
export interface RequestTarget {
  /** Lower case, without port and final dot; '' when the client names none. */
  readonly host: string;
  /** The Host header as it came. */
  readonly authority: string;
  /** Decoded, without `.`, `..` and double slashes. */
  readonly path: string;
  /** Path and query as they came. */
  readonly rawPath: string;
  /** With its `?`, or ''. */
  readonly query: string;
}

/**
 * Reads the request line's target and the Host header. undefined: refused (400), for it could mean one thing to us and
 * another to the backend.
 */
export function parseTarget(url: string, host: string | undefined): RequestTarget | undefined {
  if (!/^[!-~]+$/.test(url)) return undefined;
  let target = url;
  let authority = host ?? '';
  if (!url.startsWith('/')) {
    // The absolute form (RFC 9112, 3.2.2): its authority wins.
    const absolute = /^https?:\/\/([^/?#]*)(.*)$/i.exec(url);
    if (absolute === null) return undefined;
    authority = absolute[1] ?? '';
    target = absolute[2] ?? '';
    if (!target.startsWith('/')) target = `/${target}`;
  }
  const name = hostName(authority);
  if (name === undefined || target.includes('#')) return undefined;
  const mark = target.indexOf('?');
  const query = mark < 0 ? '' : target.slice(mark);
  const path = normalPath(mark < 0 ? target : target.slice(0, mark));
  return path === undefined ? undefined : { host: name, authority, path, rawPath: target, query };
}

function hostName(authority: string): string | undefined {
  if (authority === '') return '';
  const match = /^(\[[0-9a-f:.]+\]|[\w.-]+)(?::\d{1,5})?$/i.exec(authority);
  const name = match?.[1]?.toLowerCase();
  return name?.endsWith('.') === true ? name.slice(0, -1) : name;
}

/** undefined: badly encoded, or above the root. */
function normalPath(raw: string): string | undefined {
  if (!raw.includes('%') && !raw.includes('//') && !raw.includes('/.')) return raw;
  let decoded: string;
  try {
    decoded = decodeURIComponent(raw);
  } catch {
    return undefined;
  }
  if (decoded.includes('\0')) return undefined;
  const out: string[] = [];
  const parts = decoded.split('/');
  for (const [index, part] of parts.entries()) {
    const last = index === parts.length - 1;
    if (part === '..') {
      if (out.pop() === undefined) return undefined;
    } else if (part !== '' && part !== '.') {
      out.push(part);
      continue;
    }
    if (last) out.push('');
  }
  return `/${out.join('/')}`;
}

/** A decoded path as it may stand in a request line. */
export function encodePath(path: string): string {
  return encodeURI(path).replace(/[?#]/g, (mark) => (mark === '?' ? '%3F' : '%23'));
}
