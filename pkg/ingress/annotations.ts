import { isIP } from 'node:net';
import { networkMatcher } from '../base/network-matcher.ts';
import {
  type AffinitySettings,
  BACKEND_PROTOCOLS,
  type CanarySettings,
  type CORSSettings,
  type ParsedSettings,
} from './settings.ts';

const PREFIX = 'nginx.ingress.kubernetes.io/';
const CORS_METHODS = 'GET, PUT, POST, DELETE, PATCH, OPTIONS';
const CORS_HEADERS =
  'DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range,Authorization';

/** Annotations that keep people out: an Ingress that has one is not served without what it asks for. */
const GUARDS = /^(?:auth-|enable-modsecurity|modsecurity-|enable-owasp|satisfy$|global-rate-limit|limit-)/;

/** Reads the annotations of an Ingress. What is not understood is a problem, never an exception. */
export function parseAnnotations(annotations: Readonly<Record<string, string>>): ParsedSettings {
  const values = new Map<string, string>();
  for (const [name, value] of Object.entries(annotations))
    if (name.startsWith(PREFIX)) values.set(name.slice(PREFIX.length), value.trim());
  const reader = new AnnotationReader(values);
  const settings = {
    sslRedirect: reader.bool('ssl-redirect', true),
    forceSSLRedirect: reader.bool('force-ssl-redirect', false),
    backendProtocol: reader.choice('backend-protocol', BACKEND_PROTOCOLS, 'HTTP'),
    useRegex: reader.bool('use-regex', false),
    ...optional('rewriteTarget', reader.text('rewrite-target')),
    bodyLimitBytes: reader.size('proxy-body-size', 0),
    connectTimeoutMs: reader.seconds('proxy-connect-timeout', 5) * 1000,
    readTimeoutMs: reader.seconds('proxy-read-timeout', 60) * 1000,
    sendTimeoutMs: reader.seconds('proxy-send-timeout', 60) * 1000,
    ...optional('admits', admission(reader)),
    ...optional('cors', corsOf(reader)),
    ...optional('appRoot', reader.matching('app-root', /^\/[^\s"$]*$/)),
    ...optional('redirect', redirectOf(reader)),
    ...optional('upstreamVhost', reader.matching('upstream-vhost', /^[\w.:-]+$/)),
    ...optional('forwardedPrefix', reader.matching('x-forwarded-prefix', /^\/[\w./~-]*$/)),
    ...optional('affinity', affinityOf(reader)),
    ...optional('canary', canaryOf(reader)),
    serverAliases: (reader.text('server-alias') ?? '').split(/[,\s]+/).filter((name) => name !== ''),
    ...optional('refusal', reader.refusal(GUARDS)),
  };
  return { settings, problems: reader.problems() };
}

/** Takes annotations out one by one; what is left in the end is not supported. */
class AnnotationReader {
  readonly #values: Map<string, string>;
  readonly #problems: string[] = [];

  constructor(values: Map<string, string>) {
    this.#values = values;
  }

  text(name: string): string | undefined {
    const value = this.#values.get(name);
    this.#values.delete(name);
    return value === '' ? undefined : value;
  }

  bool(name: string, otherwise: boolean): boolean {
    return this.choice(name, ['true', 'false'], String(otherwise)) === 'true';
  }

  choice<T extends string>(name: string, choices: readonly T[], otherwise: T): T {
    const value = this.text(name);
    if (value === undefined) return otherwise;
    const found = choices.find((choice) => choice.toLowerCase() === value.toLowerCase());
    if (found === undefined) this.#bad(name, value, `is not one of ${choices.join(', ')}`);
    return found ?? otherwise;
  }

  matching(name: string, pattern: RegExp): string | undefined {
    const value = this.text(name);
    if (value === undefined || pattern.test(value)) return value;
    this.#bad(name, value, 'is not understood');
    return undefined;
  }

  number(name: string, otherwise: number): number {
    const value = this.matching(name, /^\d{1,9}$/);
    return value === undefined ? otherwise : Number(value);
  }

  /** `60`, or with a unit `60s`, `5m`. */
  seconds(name: string, otherwise: number): number {
    const value = this.matching(name, /^[1-9]\d{0,6}[smh]?$/);
    if (value === undefined) return otherwise;
    const factor = value.endsWith('h') ? 3600 : value.endsWith('m') ? 60 : 1;
    return Number.parseInt(value, 10) * factor;
  }

  /** `8m`, `512k`; 0 is no limit. */
  size(name: string, otherwise: number): number {
    const value = this.matching(name, /^\d{1,9}[kmg]?$/i);
    if (value === undefined) return otherwise;
    const power = ['', 'k', 'm', 'g'].indexOf(value.replace(/\d+/, '').toLowerCase());
    return Number.parseInt(value, 10) * 1024 ** power;
  }

  /** A list of networks under the first of these names that is there; one that is wrong lets nobody through. */
  networks(...names: readonly string[]): readonly string[] | undefined {
    let found: readonly string[] | undefined;
    for (const name of names) {
      const value = this.text(name);
      if (value === undefined) continue;
      const items = value.split(',').map((item) => item.trim());
      const good = items.flatMap((item) => networkOf(item) ?? []);
      if (good.length < items.length) this.#bad(name, value, 'is not a list of networks');
      found = [...(found ?? []), ...good];
    }
    return found;
  }

  refusal(guards: RegExp): string | undefined {
    const guard = [...this.#values.keys()].find((name) => guards.test(name));
    return guard === undefined ? undefined : `the annotation ${PREFIX}${guard} is not supported`;
  }

  problems(): readonly string[] {
    return [...this.#problems, ...[...this.#values.keys()].map((name) => `${PREFIX}${name} is not supported`)];
  }

  #bad(name: string, value: string, why: string): void {
    this.#problems.push(`${PREFIX}${name}: ${JSON.stringify(value)} ${why}`);
  }
}

function networkOf(text: string): string | undefined {
  const [address = '', prefix, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0 || address.includes('%')) return undefined;
  const bits = family === 4 ? 32 : 128;
  if (prefix === undefined) return `${address}/${bits}`;
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= bits ? text : undefined;
}

function admission(reader: AnnotationReader): ((address: string) => boolean) | undefined {
  const allowed = reader.networks('whitelist-source-range', 'allowlist-source-range');
  const denied = reader.networks('denylist-source-range');
  if (allowed === undefined && denied === undefined) return undefined;
  const isAllowed = allowed === undefined ? () => true : networkMatcher(allowed);
  const isDenied = networkMatcher(denied ?? []);
  return (address) => isAllowed(address) && !isDenied(address);
}

function corsOf(reader: AnnotationReader): CORSSettings | undefined {
  const enabled = reader.bool('enable-cors', false);
  const list = /^[\w\s,*-]+$/;
  const settings = {
    origins: (reader.text('cors-allow-origin') ?? '*').split(',').map((origin) => origin.trim()),
    methods: reader.matching('cors-allow-methods', list) ?? CORS_METHODS,
    headers: reader.matching('cors-allow-headers', list) ?? CORS_HEADERS,
    ...optional('exposedHeaders', reader.matching('cors-expose-headers', list)),
    credentials: reader.bool('cors-allow-credentials', true),
    maxAgeSeconds: reader.number('cors-max-age', 1_728_000),
  };
  return enabled ? settings : undefined;
}

function redirectOf(reader: AnnotationReader): { url: string; code: number } | undefined {
  const target = /^(?:https?:\/)?\/[^\s"]*$/;
  const permanent = reader.matching('permanent-redirect', target);
  const code = reader.number('permanent-redirect-code', 301);
  const temporary = reader.matching('temporal-redirect', target);
  if (temporary !== undefined) return { url: temporary, code: 302 };
  return permanent === undefined ? undefined : { url: permanent, code: code >= 300 && code <= 308 ? code : 301 };
}

function affinityOf(reader: AnnotationReader): AffinitySettings | undefined {
  const kind = reader.choice('affinity', ['cookie', 'none'], 'none');
  reader.choice('affinity-mode', ['balanced', 'persistent'], 'balanced');
  const maxAge = reader.number('session-cookie-max-age', -1);
  const expires = reader.number('session-cookie-expires', -1);
  const seconds = maxAge >= 0 ? maxAge : expires;
  const settings = {
    cookie: reader.matching('session-cookie-name', /^[\w!#$%&'*+.^`|~-]+$/) ?? 'INGRESSCOOKIE',
    ...optional('maxAgeSeconds', seconds < 0 ? undefined : seconds),
    ...optional('path', reader.matching('session-cookie-path', /^\/[\w./~-]*$/)),
    ...optional('domain', reader.matching('session-cookie-domain', /^[\w.-]+$/)),
    ...optional('sameSite', reader.matching('session-cookie-samesite', /^(?:Strict|Lax|None)$/)),
    secure: reader.bool('session-cookie-secure', false),
  };
  return kind === 'cookie' ? settings : undefined;
}

function canaryOf(reader: AnnotationReader): CanarySettings | undefined {
  const enabled = reader.bool('canary', false);
  const settings = {
    ...optional('header', reader.matching('canary-by-header', /^[\w!#$%&'*+.^`|~-]+$/)?.toLowerCase()),
    ...optional('headerValue', reader.text('canary-by-header-value')),
    ...optional('headerPattern', reader.text('canary-by-header-pattern')),
    ...optional('cookie', reader.matching('canary-by-cookie', /^[\w!#$%&'*+.^`|~-]+$/)),
    weight: reader.number('canary-weight', 0),
    weightTotal: Math.max(1, reader.number('canary-weight-total', 100)),
  };
  return enabled ? settings : undefined;
}

function optional<Name extends string, T>(name: Name, value: T | undefined): { [key in Name]?: T } {
  return (value === undefined ? {} : { [name]: value }) as { [key in Name]?: T };
}
