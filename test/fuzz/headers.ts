import { hostileString } from './hostile.ts';
import type { Random } from './random.ts';

type Headers = Record<string, string | readonly string[]>;

const ACCEPTS: readonly string[] = [
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
  'application/cbor',
  'application/json;as=Table;g=meta.k8s.io;v=v1',
  'application/json;as=Table;g=meta.k8s.io;v=v1,application/json',
  'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1',
  'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1beta1',
  'application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,*/*',
  'application/vnd.kubernetes.protobuf;stream=watch',
  'application/json;as=constructor;g=__proto__;v=toString',
  'application/json;profile=nopeer;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
  'application/com.github.proto-openapi.spec.v2@v1.0+protobuf',
  'text/html',
  '*/*',
  'text/*;q=0.1,application/*;q=0.9',
  '*/*;q=1e999',
  '',
  ';;;,,,',
  'application/json;q=',
  `${'application/json;q=0.1,'.repeat(400)}*/*`,
];

const TYPES: readonly string[] = [
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
  'application/cbor',
  'application/json; charset=utf-16',
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
  'application/apply-patch+cbor',
  'multipart/form-data; boundary=a',
  'constructor',
  '__proto__',
  '',
  'application/',
  `application/${'x'.repeat(5000)}`,
];

/** Headers of a request, some of them hostile. The server is asked for the administrator's identity unless they say otherwise. */
export function hostileHeaders(random: Random): Headers {
  const headers: Headers = {};
  const set = (name: string, value: string | readonly string[]): void => {
    headers[name] = typeof value === 'string' ? headerSafe(value) : value.map(headerSafe);
  };
  const some = 1 + random.int(3);
  for (let i = 0; i < some; i++) {
    random.weighted<() => void>([
      [5, () => set('Accept', random.pick(ACCEPTS))],
      [3, () => set('Content-Type', random.pick(TYPES))],
      [3, () => impersonation(random, set)],
      [
        1,
        () =>
          set(
            'Authorization',
            random.pick([
              'Bearer ',
              'Bearer a.b.c',
              'Bearer __proto__',
              'Basic YTpi',
              `Bearer ${'a'.repeat(9000)}`,
              jwt(random),
            ]),
          ),
      ],
      [1, () => set('Accept-Encoding', random.pick(['gzip', 'br', 'gzip;q=0', '*', 'identity;q=0']))],
      [1, () => set('Content-Encoding', random.pick(['gzip', 'identity', 'br']))],
      [
        1,
        () =>
          set('User-Agent', random.pick(['', '/', 'kubectl/v1', hostileString(random).slice(0, 4000), '__proto__/1'])),
      ],
      [1, () => set('Audit-Id', hostileString(random).slice(0, 4000))],
      [1, () => set('If-None-Match', random.pick(['*', '""', 'W/"x"', hostileString(random).slice(0, 200)]))],
      [1, () => set('Expect', random.pick(['100-continue', 'x']))],
      [1, () => set('X-Filler', 'x'.repeat(random.int(20_000)))],
      [
        1,
        () =>
          set(
            'X-Repeated',
            Array.from({ length: random.int(50) }, () => 'y'),
          ),
      ],
      [1, () => set('X-Remote-User', 'system:admin')],
      [1, () => set('X-Http-Method-Override', 'DELETE')],
      [1, () => set('__proto__x', 'constructor')],
      [1, () => set('Upgrade', random.pick(['websocket', 'SPDY/3.1', 'h2c', 'x']))],
      [1, () => set('Host', random.pick(['evil.invalid', 'a b', '', '[::1]:99999']))],
    ])();
  }
  return headers;
}

function impersonation(random: Random, set: (name: string, value: string | readonly string[]) => void): void {
  if (random.chance(0.85)) {
    set(
      'Impersonate-User',
      random.pick([
        'bob',
        '',
        'system:anonymous',
        'system:serviceaccount:a:b',
        'system:serviceaccount::',
        'system:node:x',
        '__proto__',
        hostileString(random).slice(0, 500),
      ]),
    );
  }
  if (random.chance(0.4))
    set(
      'Impersonate-Group',
      random.pick<string | readonly string[]>([
        'system:masters',
        ['a', 'b', '__proto__'],
        '',
        Array.from({ length: 60 }, (_, i) => `g${i}`),
      ]),
    );
  if (random.chance(0.3)) set('Impersonate-Uid', random.pick(['', 'x', '__proto__']));
  if (random.chance(0.3))
    set(
      random.pick([
        'Impersonate-Extra-Scopes',
        'Impersonate-Extra-',
        'Impersonate-Extra-__proto__',
        'Impersonate-Extra-a%2fb',
        'Impersonate-Extra-%zz',
        'Impersonate-Extra-constructor',
      ]),
      random.pick(['a', '', 'x']),
    );
}

function jwt(random: Random): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const head = part({
    alg: random.pick(['none', 'RS256', 'HS256', '__proto__']),
    kid: random.pick(['', '../x', 'constructor']),
  });
  return `Bearer ${head}.${part({ sub: 'system:admin', exp: random.pick([0, 1e300, 'x', null]), aud: { toString: 1 } })}.${random.pick(['', 'AAAA', '%'])}`;
}

/** What Node's client lets through. */
function headerSafe(text: string): string {
  return Buffer.from(text)
    .toString('latin1')
    .replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, '');
}
