import { type AnnotationReader, optional } from './annotation-reader.ts';
import { compileTemplate } from './request-template.ts';
import type { BasicAuthSettings, ExternalAuthSettings } from './settings.ts';

/** What is asked for, or why nothing may be served: it guards the Ingress, and cannot be had. */
export interface AskedAuth<S> {
  readonly settings?: S;
  readonly refusal?: string;
}

const SECRET_NAME = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/;
const HEADER_TEXT = /^[ !#-[\]-~]+$/;

export function basicAuthOf(reader: AnnotationReader): AskedAuth<BasicAuthSettings> {
  const type = reader.text('auth-type');
  const secret = reader.text('auth-secret');
  const kind = reader.choice('auth-secret-type', ['auth-file', 'auth-map'], 'auth-file');
  const realm = reader.matching('auth-realm', HEADER_TEXT) ?? 'Authentication Required';
  if (type === undefined) return {};
  if (type !== 'basic') return refuse(reader, 'auth-type', type, 'is not supported, only basic is');
  if (secret === undefined) return refuse(reader, 'auth-secret', '', 'names no Secret');
  // As ingress-nginx does unless it is told otherwise: whoever may write Ingresses may not use Secrets of others.
  if (!SECRET_NAME.test(secret)) return refuse(reader, 'auth-secret', secret, 'is no Secret of the same namespace');
  return { settings: { secret, kind, realm } };
}

export function externalAuthOf(reader: AnnotationReader): AskedAuth<ExternalAuthSettings> {
  const url = reader.text('auth-url');
  const signin = reader.text('auth-signin');
  const redirect = reader.text('auth-request-redirect');
  const method = reader.matching('auth-method', /^[A-Z]{1,16}$/) ?? 'GET';
  const signinParameter = reader.matching('auth-signin-redirect-param', /^[\w.-]+$/) ?? 'rd';
  const responseHeaders = reader.headers('auth-response-headers').map((name) => name.toLowerCase());
  if (url === undefined) return {};
  const template = /^https?:\/\/[^\s/?#]+(?:[/?][!-~]*)?$/.test(url) ? compileTemplate(url) : undefined;
  if (template === undefined) return refuse(reader, 'auth-url', url, 'is no URL that can be asked');
  const optionalTemplates: { -readonly [K in 'signin' | 'requestRedirect']?: ExternalAuthSettings['url'] } = {};
  for (const [name, key, value] of [
    ['auth-signin', 'signin', signin],
    ['auth-request-redirect', 'requestRedirect', redirect],
  ] as const) {
    if (value === undefined) continue;
    const compiled = compileTemplate(value);
    if (compiled === undefined) return refuse(reader, name, value, 'has a variable that is not supported');
    optionalTemplates[key] = compiled;
  }
  return {
    settings: {
      ...{ url: template, method, signinParameter, responseHeaders },
      ...optional('signin', optionalTemplates.signin),
      ...optional('requestRedirect', optionalTemplates.requestRedirect),
    },
  };
}

function refuse<S>(reader: AnnotationReader, name: string, value: string, why: string): AskedAuth<S> {
  reader.bad(name, value, why);
  return { refusal: `the annotation ${name} ${why}` };
}
