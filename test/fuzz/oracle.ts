import { gunzipSync } from 'node:zlib';
import { parse } from 'yaml';
import { decodeMessage, openEnvelope, PROTOBUF_TYPE } from '../../pkg/api/protobuf/index.ts';
import { builtinSchema } from '../../pkg/api/schema/builtin.ts';
import type { FuzzRequest } from './request.ts';
import type { Reply } from './target.ts';

/** What upstream answers with 500 too: errors of the client that it has no Status for, in its own words. */
const UPSTREAM_500: readonly RegExp[] = [
  /^resourceVersion should not be set on objects to be created$/,
  /without impersonating a user/,
  /^failed to create typed patch object \(/,
  /^failed to create manager for existing fields: /,
  /^unknown patch type: /,
  // A get, a watch, and a Binding return the bare field error.
  /^resourceVersion: Invalid value: /,
  // The resourceVersion of an object.
  /^strconv\.ParseUint: parsing /,
  /^\[?target\.(?:name|kind): /,
  // A strategic merge patch whose lists do not fit: upstream gives a Status to some of these errors only.
  /^list element types are not identical(?:$|: )/,
  /^expected a .+, but received a /,
  /^map: map\[.*\] does not contain declared merge key: /,
  // A custom resource without the number that its definition names.
  /the spec replicas field ".*" does not exist$/,
];

/** Streams to a kubelet, and proxied paths, without anything that could answer. */
const REMOTE = /\/(?:exec|attach|portforward|proxy|log)(?:$|[/?])/;
const PLAIN_404 = '404 page not found\n';
/** Paths of which upstream cannot say what they are about, and what it says then. */
const NOTHING_WATCHED = /^\/+(?:api|apis\/+[^/?]+)\/+[^/?]+\/+(?:watch|proxy)\/*(?:\?|$)/;
const NO_REQUEST_INFO =
  /^Internal Server Error: ".*": failed to create RequestInfo: unable to determine kind and namespace /;
const PLAIN_PATHS = /^\/+(?:healthz|livez|readyz|metrics|version|openapi|openid|\.well-known|logs|debug)/;

const LONG_YAML = 100_000;
/** What a long one is; its message or its causes are the long part. */
const KIND_OF_LONG = /^kind: \w+$/m;

/** What is wrong with an answer; undefined: nothing. */
export function judge(request: FuzzRequest, reply: Reply): string | undefined {
  const { status, headers } = reply;
  if (status < 200 || status > 599) return `status ${status}`;
  if (request.method === 'HEAD') {
    // There is no message that could tell why; upstream has a few reasons of its own.
    const impersonates = Object.keys(request.headers).some((name) => name.startsWith('Impersonate-'));
    const isKnown =
      status === 504 || impersonates || /resourceVersion/.test(request.path) || NOTHING_WATCHED.test(request.path);
    return status >= 500 && !isKnown ? `status ${status}` : undefined;
  }
  if (status < 300) return success(request, reply);
  if (status < 400) return undefined;
  if (status === 404 && reply.body.toString() === PLAIN_404) return undefined;
  if (status === 500 && NO_REQUEST_INFO.test(reply.body.toString())) return undefined;
  // The HTTP parser's own refusals, before there is a request.
  if ((status === 400 || status === 431) && reply.body.length === 0 && headers.connection === 'close') return undefined;
  if (status === 417 && reply.body.length === 0) return undefined;
  if (PLAIN_PATHS.test(request.path) && status < 500) return undefined;
  let found: unknown;
  try {
    found = decode(reply);
  } catch (error) {
    return `error ${status} without a Status: ${String(error)}: ${show(reply)}`;
  }
  const isLong = reply.body.length > LONG_YAML && contentType(reply).startsWith('application/yaml');
  if (isLong)
    return status < 500 && (found as { kind?: unknown }).kind === 'Status' ? undefined : `long error ${status}`;
  const wrong = statusProblem(found, status);
  if (wrong !== undefined) return `error ${status}: ${wrong}: ${show(reply)}`;
  if (status < 500) return undefined;
  const { message } = found as { message: string };
  if (status === 504 && message.startsWith('Timeout: Too large resource version')) return undefined;
  if (status === 504 && /[?&]timeout=/.test(request.path) && message.endsWith('within the allotted timeout'))
    return undefined;
  if (status === 500)
    return UPSTREAM_500.some((known) => known.test(message)) ? undefined : `500: ${message.slice(0, 400)}`;
  if ([501, 502, 503, 504].includes(status) && REMOTE.test(request.path)) return undefined;
  return `${status}: ${message.slice(0, 400)}`;
}

function statusProblem(found: unknown, code: number): string | undefined {
  if (typeof found !== 'object' || found === null) return 'the body is no object';
  const status = found as Record<string, unknown>;
  if (status['kind'] !== 'Status' || status['apiVersion'] !== 'v1') return 'the body is no Status';
  if (status['status'] !== 'Failure') return `status ${String(status['status'])}`;
  if (status['code'] !== code) return `code ${String(status['code'])}`;
  if (typeof status['message'] !== 'string' || status['message'] === '') return 'no message';
  if (code < 500 && (typeof status['reason'] !== 'string' || !/^[A-Z][A-Za-z]+$/.test(status['reason'])))
    return 'no reason';
  return undefined;
}

function success(request: FuzzRequest, reply: Reply): string | undefined {
  if (reply.cut || request.method === 'OPTIONS' || reply.body.length === 0) return undefined;
  if (PLAIN_PATHS.test(request.path)) return undefined;
  const type = contentType(reply);
  if (type.includes('stream=watch') || /[?&/]watch\b/.test(request.path) || REMOTE.test(request.path)) return undefined;
  try {
    const found = decode(reply);
    if (typeof found !== 'object' || found === null) return 'the body is no object';
    if (/^\/apis?\//.test(request.path) && typeof (found as { kind?: unknown }).kind !== 'string')
      return `no kind: ${show(reply)}`;
    return undefined;
  } catch (error) {
    return `unreadable ${type}: ${String(error).slice(0, 200)}: ${show(reply)}`;
  }
}

function contentType(reply: Reply): string {
  return reply.headers['content-type'] ?? '';
}

function decode(reply: Reply): unknown {
  const type = contentType(reply);
  const body = reply.headers['content-encoding'] === 'gzip' ? gunzipSync(reply.body) : reply.body;
  if (type.startsWith('application/json')) return JSON.parse(body.toString());
  if (type.startsWith('application/yaml')) {
    // Reading a long one takes the time of a hundred requests.
    const text = body.length > LONG_YAML ? KIND_OF_LONG.exec(body.toString())?.[0] : body.toString();
    return parse(text ?? '{kind: long}', { version: '1.1', uniqueKeys: false });
  }
  if (type.startsWith(PROTOBUF_TYPE)) {
    const { kind, apiVersion, raw } = openEnvelope(body);
    return kind === 'Status'
      ? { ...decodeMessage(builtinSchema('meta.v1.Status'), raw), kind, apiVersion }
      : { kind, apiVersion };
  }
  throw new Error(`content type ${JSON.stringify(type)}`);
}

function show(reply: Reply): string {
  return JSON.stringify(reply.body.subarray(0, 300).toString());
}
