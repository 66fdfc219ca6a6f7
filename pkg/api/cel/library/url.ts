import { type ParsedURL, requestURIRefusal, splitURL } from '../../validation/request-uri.ts';
import { type Library, overload } from '../declarations.ts';
import { Failure } from '../failure.ts';
import { ArrayList, HashMapValue, type MapKey, type Value } from '../values.ts';
import { Host } from './host-values.ts';

type URLValue = Host<ParsedURL>;
const TYPE = 'kubernetes.URL';

/** url(), isURL() and the parts of URLs, as Go's net/url reads them. */
export function urlLibrary(): Library {
  return {
    name: 'kubernetes.url',
    overloads: [
      overload('string_to_url', `url(string) ${TYPE}`, (text: string) => {
        const reason = requestURIRefusal(text);
        if (reason !== undefined) {
          throw new Failure(`URL parse error during conversion from string: parse ${JSON.stringify(text)}: ${reason}`);
        }
        return new Host('url', splitURL(text), text);
      }),
      overload('is_url_string', 'isURL(string) bool', (text: string) => requestURIRefusal(text) === undefined),
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
