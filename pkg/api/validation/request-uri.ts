/** URLs as Go's net/url reads those of requests. */
export interface ParsedURL {
  readonly scheme: string;
  readonly host: string;
  readonly path: string;
  readonly query: string;
}

function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}

/** Why url.ParseRequestURI would refuse a text; undefined when it would not. */
export function requestURIRefusal(text: string): string | undefined {
  if (hasControl(text)) return 'net/url: invalid control character in URL';
  if (text === '') return 'empty url';
  if (text === '*') return undefined;
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):/.exec(text);
  if (scheme === null) {
    if (text.startsWith(':')) return 'missing protocol scheme';
    if (!text.startsWith('/')) return 'invalid URI for request';
  }
  const rest = scheme === null ? text : text.slice(scheme[0].length);
  // What follows a scheme may be anything.
  if (!rest.startsWith('/')) return undefined;
  const { host } = splitURL(text);
  const bad = /%(?![0-9a-fA-F]{2}).{0,2}/.exec(text.split('?')[0] ?? '');
  if (bad !== null) return `invalid URL escape ${JSON.stringify(bad[0])}`;
  if (/[ <>"\\^`{|}]/.test(host))
    return `invalid character ${JSON.stringify(/[ <>"\\^`{|}]/.exec(host)?.[0])} in host name`;
  if (host.startsWith('[') && !host.includes(']')) return "missing ']' in host";
  const after = host.startsWith('[')
    ? host.slice(host.indexOf(']') + 1)
    : host.slice(host.lastIndexOf(':') >= 0 ? host.lastIndexOf(':') : host.length);
  return /^(?::\d*)?$/.test(after) ? undefined : `invalid port ${JSON.stringify(after)} after host`;
}

/** The parts of a text that `requestURIRefusal` has nothing against. */
export function splitURL(text: string): ParsedURL {
  const body = text.split('#', 1)[0] ?? '';
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):/.exec(body)?.[1] ?? '';
  const rest = scheme === '' ? body : body.slice(scheme.length + 1);
  const mark = rest.indexOf('?');
  const before = mark < 0 ? rest : rest.slice(0, mark);
  const query = mark < 0 ? '' : rest.slice(mark + 1);
  const hasHost = before.startsWith('//') && (scheme !== '' || !before.startsWith('///'));
  const slash = hasHost ? before.indexOf('/', 2) : 0;
  const authority = hasHost ? before.slice(2, slash < 0 ? before.length : slash) : '';
  const path = hasHost ? (slash < 0 ? '' : before.slice(slash)) : before.startsWith('/') ? before : '';
  return { scheme: scheme.toLowerCase(), host: authority.slice(authority.lastIndexOf('@') + 1), path, query };
}
