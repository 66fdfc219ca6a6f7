import { cookieOf } from './canary.ts';
import type { Exchange } from './exchange.ts';

/** Text of a request, by what an annotation says with nginx's variables. */
export type RequestTemplate = (exchange: Exchange) => string;

const VARIABLE = /\$(?:\{(\w+)\}|(\w+))/g;

const PLAIN: Readonly<Record<string, RequestTemplate>> = {
  host: ({ target }) => target.host,
  http_host: ({ target }) => target.authority,
  best_http_host: ({ target }) => target.authority,
  scheme: ({ request }) => (request.secure ? 'https' : 'http'),
  request_method: ({ request }) => request.method,
  request_uri: ({ target }) => target.rawPath,
  escaped_request_uri: ({ target }) => encodeURIComponent(target.rawPath),
  uri: ({ target }) => target.path,
  args: ({ target }) => target.query.slice(1),
  remote_addr: ({ request }) => request.clientAddress,
  binary_remote_addr: ({ request }) => request.clientAddress,
};

/** Takes a text with `$host`, `${request_uri}`, `$http_x_user`, `$cookie_a`, `$arg_a`. Undefined: it has another variable. */
export function compileTemplate(text: string): RequestTemplate | undefined {
  const parts: (string | RequestTemplate)[] = [];
  let at = 0;
  for (const match of text.matchAll(VARIABLE)) {
    const variable = variableOf(match[1] ?? match[2] ?? '');
    if (variable === undefined) return undefined;
    parts.push(text.slice(at, match.index), variable);
    at = match.index + match[0].length;
  }
  parts.push(text.slice(at));
  return (exchange) => parts.map((part) => (typeof part === 'string' ? part : part(exchange))).join('');
}

function variableOf(name: string): RequestTemplate | undefined {
  const plain = Object.hasOwn(PLAIN, name) ? PLAIN[name] : undefined;
  if (plain !== undefined) return plain;
  const [, kind, rest = ''] = /^(http|cookie|arg)_(\w+)$/.exec(name) ?? [];
  if (kind === 'http') return ({ request }) => request.fields.get(rest.replaceAll('_', '-').toLowerCase()) ?? '';
  if (kind === 'cookie') return ({ request }) => cookieOf(request.fields.get('cookie'), rest) ?? '';
  if (kind === 'arg') return ({ target }) => new URLSearchParams(target.query).get(rest) ?? '';
  return undefined;
}
