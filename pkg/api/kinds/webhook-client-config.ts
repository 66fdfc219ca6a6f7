import type { DeepReadonly } from '../../base/json.ts';
import type { WebhookClientConfig } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { goQuote } from '../validation/go-format.ts';
import { isDNS1123Subdomain, isValidPortNumber } from '../validation/names.ts';

type FieldError = field.FieldError;
type Config = DeepReadonly<WebhookClientConfig>;

const form = '; desired format: https://host[/path]';

/** Where a webhook listens: a URL or a Service. Shared with the conversion of CRDs. */
export function validateClientConfig(config: Config | undefined, path: string): FieldError[] {
  const { url, service } = config ?? {};
  const hasURL = url !== undefined && url !== null;
  if (hasURL === (service !== undefined && service !== null)) {
    return [field.required(path, 'exactly one of url or service is required')];
  }
  return hasURL ? validateURL(url, `${path}.url`) : validateService(service ?? {}, `${path}.service`);
}

function validateService(service: DeepReadonly<Partial<NonNullable<Config['service']>>>, path: string): FieldError[] {
  const errors: FieldError[] = [];
  // Upstream takes one for the other.
  if (!service.namespace) errors.push(field.required(`${path}.name`));
  if (!service.name) errors.push(field.required(`${path}.namespace`));
  const port = service.port ?? 443;
  const wrong = isValidPortNumber(port);
  if (wrong.length > 0) errors.push(field.invalid(`${path}.port`, port, `port is not valid: ${wrong.join(', ')}`));
  return [...errors, ...validateServicePath(service.path ?? '', `${path}.path`)];
}

/** A path whose steps are names like host names. */
function validateServicePath(value: string, path: string): FieldError[] {
  if (value === '' || value === '/') return [];
  if (value === '//') return [field.invalid(path, value, 'segment[0] may not be empty')];
  const errors = value.startsWith('/') ? [] : [field.invalid(path, value, "must start with a '/'")];
  const steps = value.slice(1).replace(/\/$/, '').split('/');
  for (let i = 0; i < steps.length; i++) {
    const step = steps[i] ?? '';
    if (step === '') errors.push(field.invalid(path, value, `segment[${i}] may not be empty`));
    else for (const text of isDNS1123Subdomain(step)) errors.push(field.invalid(path, value, `segment[${i}]: ${text}`));
  }
  return errors;
}

function validateURL(url: string, path: string): FieldError[] {
  const parsed = parseURL(url);
  if (typeof parsed === 'string') {
    return [field.required(path, `url must be a valid URL: parse ${goQuote(url)}: ${parsed}${form}`)];
  }
  const errors: FieldError[] = [];
  if (parsed.scheme !== 'https') {
    errors.push(field.invalid(path, parsed.scheme, `'https' is the only allowed URL scheme${form}`));
  }
  if (parsed.host === '') errors.push(field.invalid(path, '', `host must be specified${form}`));
  if (parsed.user !== undefined) {
    errors.push(field.invalid(path, parsed.user, 'user information is not permitted in the URL'));
  }
  if (parsed.fragment !== '') {
    errors.push(field.invalid(path, parsed.fragment, 'fragments are not permitted in the URL'));
  }
  if (parsed.query !== '') {
    errors.push(field.invalid(path, parsed.query, 'query parameters are not permitted in the URL'));
  }
  return errors;
}

interface ParsedURL {
  readonly scheme: string;
  readonly user: string | undefined;
  readonly host: string;
  readonly query: string;
  readonly fragment: string;
}

/** The parts as Go's net/url finds them, relative references included; or why there are none. */
function parseURL(url: string): ParsedURL | string {
  const match = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s.exec(url);
  if (/\p{Cc}/u.test(url)) return 'net/url: invalid control character in URL';
  if (match === null || url.startsWith(':')) return 'missing protocol scheme';
  const [, scheme = '', authority = '', rest = '', query = '', fragment = ''] = match;
  const badEscape = /%(?![0-9A-Fa-f]{2}).{0,2}/.exec(rest);
  if (badEscape !== null) return `invalid URL escape ${goQuote(badEscape[0])}`;
  if (scheme === '' && authority === '' && /^[^/]*:/.test(rest))
    return 'first path segment in URL cannot contain colon';
  const at = authority.lastIndexOf('@');
  const host = authority.slice(at + 1);
  const port = /:([^:\]]*)$/.exec(host);
  if (port !== null && !/^\d*$/.test(port[1] ?? '')) return `invalid port ${goQuote(port[0])} after host`;
  return { scheme: scheme.toLowerCase(), user: at < 0 ? undefined : authority.slice(0, at), host, query, fragment };
}
