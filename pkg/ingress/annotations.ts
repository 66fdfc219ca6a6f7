import { networkMatcher } from '../base/network-matcher.ts';
import { AnnotationReader, optional } from './annotation-reader.ts';
import { basicAuthOf, externalAuthOf } from './auth-annotations.ts';
import { compileTemplate, type RequestTemplate } from './request-template.ts';
import {
  type AffinitySettings,
  BACKEND_PROTOCOLS,
  type CanarySettings,
  type CORSSettings,
  type LimitSettings,
  type ParsedSettings,
  type RetrySettings,
} from './settings.ts';

const CORS_METHODS = 'GET, PUT, POST, DELETE, PATCH, OPTIONS';
const CORS_HEADERS =
  'DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range,Authorization';

/** Annotations that keep people out: an Ingress that has one is not served without what it asks for. */
const GUARDS = /^(?:auth-|enable-modsecurity|modsecurity-|enable-owasp|global-rate-limit|limit-(?!rate))/;

/** Bodies go through as they come, in memory that the reader's pace bounds; connections to backends are HTTP/1.1. */
const NO_DIFFERENCE = [
  'client-body-buffer-size',
  'http2-push-preload',
  'proxy-buffer-size',
  'proxy-buffering',
  'proxy-buffers-number',
  'proxy-busy-buffers-size',
  'proxy-max-temp-file-size',
  'proxy-request-buffering',
  'session-cookie-change-on-failure',
];

/** ingress-nginx asks three: during an update that may be all those that have just gone. */
const DEFAULT_TRIES = 5;

/** Reads the annotations of an Ingress. What is not understood is a problem, never an exception. */
export function parseAnnotations(annotations: Readonly<Record<string, string>>): ParsedSettings {
  const reader = new AnnotationReader(annotations);
  reader.pass(NO_DIFFERENCE);
  const basicAuth = basicAuthOf(reader);
  const externalAuth = externalAuthOf(reader);
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
    retry: retryOf(reader),
    ...optional('admits', admission(reader)),
    ...optional('limits', limitsOf(reader)),
    ...optional('basicAuth', basicAuth.settings),
    ...optional('externalAuth', externalAuth.settings),
    satisfyAny: reader.choice('satisfy', ['all', 'any'], 'all') === 'any',
    ...optional('cors', corsOf(reader)),
    ...optional('appRoot', reader.matching('app-root', /^\/[^\s"$]*$/)),
    ...optional('redirect', redirectOf(reader)),
    ...optional('upstreamVhost', reader.matching('upstream-vhost', /^[\w.:-]+$/)),
    ...optional('forwardedPrefix', reader.matching('x-forwarded-prefix', /^\/[\w./~-]*$/)),
    ...optional('affinity', affinityOf(reader)),
    ...optional('hashBy', templateOf(reader, 'upstream-hash-by')),
    ...optional('defaultBackend', reader.matching('default-backend', /^[a-z0-9-]+$/)),
    ...optional('canary', canaryOf(reader)),
    accessLog: reader.bool('enable-access-log', true),
    fromToWWW: reader.bool('from-to-www-redirect', false),
    serverAliases: (reader.text('server-alias') ?? '').split(/[,\s]+/).filter((name) => name !== ''),
    ...optional('refusal', basicAuth.refusal ?? externalAuth.refusal ?? reader.refusal(GUARDS)),
  };
  return { settings, problems: reader.problems() };
}

function admission(reader: AnnotationReader): ((address: string) => boolean) | undefined {
  const allowed = reader.networks('whitelist-source-range', 'allowlist-source-range');
  const denied = reader.networks('denylist-source-range');
  if (allowed === undefined && denied === undefined) return undefined;
  const isAllowed = allowed === undefined ? () => true : networkMatcher(allowed);
  const isDenied = networkMatcher(denied ?? []);
  return (address) => isAllowed(address) && !isDenied(address);
}

/** nginx's names: `error timeout http_502 non_idempotent`, or `off`. */
function retryOf(reader: AnnotationReader): RetrySettings {
  const words = (reader.text('proxy-next-upstream') ?? 'error timeout').split(/[\s,]+/);
  for (const word of words)
    if (!/^(?:error|timeout|invalid_header|non_idempotent|off|http_(?:403|404|429|50[0234]))$/.test(word))
      reader.bad('proxy-next-upstream', word, 'is not understood');
  const tries = reader.number('proxy-next-upstream-tries', DEFAULT_TRIES);
  const statuses = words.flatMap((word) => (word.startsWith('http_') ? [Number(word.slice(5))] : []));
  return {
    onError: words.includes('error'),
    onTimeout: words.includes('timeout'),
    onStatus: new Set(statuses),
    nonIdempotent: words.includes('non_idempotent'),
    tries: words.includes('off') ? 1 : tries === 0 ? Number.POSITIVE_INFINITY : tries,
    withinMs: reader.number('proxy-next-upstream-timeout', 0) * 1000,
  };
}

function limitsOf(reader: AnnotationReader): LimitSettings | undefined {
  const positive = (name: string): number | undefined => reader.number(name, 0) || undefined;
  const concurrent = positive('limit-connections');
  const perSecond = positive('limit-rps');
  const perMinute = positive('limit-rpm');
  const burstFactor = positive('limit-burst-multiplier') ?? 5;
  const exempt = reader.networks('limit-whitelist', 'limit-allowlist');
  if (concurrent === undefined && perSecond === undefined && perMinute === undefined) return undefined;
  return {
    ...optional('concurrent', concurrent),
    ...optional('perSecond', perSecond),
    ...optional('perMinute', perMinute),
    burstFactor,
    ...optional('exempts', exempt && networkMatcher(exempt)),
  };
}

function templateOf(reader: AnnotationReader, name: string): RequestTemplate | undefined {
  const value = reader.text(name);
  if (value === undefined) return undefined;
  const template = compileTemplate(value);
  if (template === undefined) reader.bad(name, value, 'has a variable that is not supported');
  return template;
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
  const temporaryCode = reader.number('temporal-redirect-code', 302);
  const sane = (value: number, otherwise: number): number => (value >= 300 && value <= 308 ? value : otherwise);
  if (temporary !== undefined) return { url: temporary, code: sane(temporaryCode, 302) };
  return permanent === undefined ? undefined : { url: permanent, code: sane(code, 301) };
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
    sticky: reader.choice('affinity-canary-behavior', ['sticky', 'legacy'], 'sticky') === 'sticky',
  };
  return enabled ? settings : undefined;
}
