import { type Library, overload } from '../declarations.ts';
import { Failure } from '../failure.ts';
import { ArrayList, HashMapValue, type MapKey, type Value } from '../values.ts';
import { Host } from './host-values.ts';

interface ParsedURL {
  readonly scheme: string;
  readonly host: string;
  readonly path: string;
  readonly query: string;
}

type URLValue = Host<ParsedURL>;
const TYPE = 'kubernetes.URL';

/** url(), isURL() and the parts of URLs, as Go's net/url reads them. */
export function urlLibrary(): Library {
  return {
    name: 'kubernetes.url',
    overloads: [
      overload('string_to_url', `url(string) ${TYPE}`, (text: string) => {
        const reason = refusal(text);
        if (reason !== undefined) {
          throw new Failure(`URL parse error during conversion from string: parse ${JSON.stringify(text)}: ${reason}`);
        }
        return new Host('url', split(text), text);
      }),
      overload('is_url_string', 'isURL(string) bool', (text: string) => refusal(text) === undefined),
      overload('url_get_scheme', `${TYPE}#getScheme() string`, ({ payload }: URLValue) => payload.scheme),
      overload('url_get_host', `${TYPE}#getHost() string`, ({ payload }: URLValue) => payload.host),
      overload('url_get_hostname', `${TYPE}#getHostname() string`, ({ payload }: URLValue) => hostname(payload.host)),
      overload('url_get_port', `${TYPE}#getPort() string`, ({ payload }: URLValue) => port(payload.host)),
      overload('url_get_escaped_path', `${TYPE}#getEscapedPath() string`, ({ payload }: URLValue) =>
        escapePath(payload.path),
      ),
      overload('url_get_query', `${TYPE}#getQuery() map<string, list<string>>`, ({ payload }: URLValue) =>
        query(payload.query),
      ),
    ],
  };
}

function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}

/** Why url.ParseRequestURI would refuse a text; undefined when it would not. */
export function refusal(text: string): string | undefined {
  if (hasControl(text)) return 'net/url: invalid control character in URL';
  if (text === '') return 'empty url';
  if (text === '*') return undefined;
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):/.exec(text);
  if (scheme === null) {
    if (text.startsWith(':')) return 'missing protocol scheme';
    if (!text.startsWith('/')) return 'invalid URI for request';
  }
  const rest = scheme === null ? text : text.slice(scheme[0].length);
  if (!rest.startsWith('/')) return scheme === null || rest === '' ? 'invalid URI for request' : undefined;
  const { host } = split(text);
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

function split(text: string): ParsedURL {
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

function hostname(host: string): string {
  if (host.startsWith('[')) return host.slice(1, host.indexOf(']'));
  return host.split(':', 1)[0] ?? '';
}

function port(host: string): string {
  return /:(\d*)$/.exec(host.startsWith('[') ? host.slice(host.indexOf(']') + 1) : host)?.[1] ?? '';
}

function escapePath(path: string): string {
  return path.replace(/[^A-Za-z0-9\-_.~!$&'()*+,;=:@/%[\]]+/g, encodeURIComponent);
}

function query(text: string): Value {
  const lists = new Map<string, string[]>();
  for (const pair of text.split('&')) {
    if (pair === '' || pair.includes(';')) continue;
    const [name = '', ...rest] = pair.split('=');
    const key = decode(name);
    const value = decode(rest.join('='));
    if (key === undefined || value === undefined) continue;
    lists.set(key, [...(lists.get(key) ?? []), value]);
  }
  return new HashMapValue(
    new Map<MapKey, readonly [Value, Value]>([...lists].map(([key, values]) => [key, [key, new ArrayList(values)]])),
  );
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
