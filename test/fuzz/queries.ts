import { HOSTILE_KEYS, hostileString } from './hostile.ts';
import type { Random } from './random.ts';

type Maker = (random: Random) => string;

const any =
  (...values: readonly string[]): Maker =>
  (random) =>
    random.chance(0.85) ? random.pick(values) : hostileString(random);

const INTEGERS = any(
  '0',
  '1',
  '-1',
  '2',
  '500',
  '2147483648',
  '9223372036854775807',
  '9223372036854775808',
  '1e3',
  '0x1',
  ' 1',
  '1.5',
);
const FLAGS = any('true', 'false', '1', '0', '', 'True', 'yes', 'null');

const PARAMETERS: Readonly<Record<string, Maker>> = {
  labelSelector: labelSelector,
  fieldSelector: fieldSelector,
  resourceVersion: any(
    '0',
    '1',
    '5',
    '',
    '-1',
    '00',
    '1.0',
    '18446744073709551616',
    '999999999',
    'abc',
    '9007199254740993',
  ),
  resourceVersionMatch: any('Exact', 'NotOlderThan', '', 'exact', '__proto__'),
  continue: continueToken,
  limit: INTEGERS,
  timeoutSeconds: INTEGERS,
  timeout: any('1s', '0', '-1s', '1h', '1ns', '99999999999h', 'abc', '1'),
  watch: FLAGS,
  allowWatchBookmarks: FLAGS,
  sendInitialEvents: FLAGS,
  dryRun: any('All', 'all', '', 'None', 'All,All'),
  fieldManager: any('fz', 'a'.repeat(128), 'a'.repeat(129), 'a\nb', '\u0000', 'ü', '__proto__', 'constructor'),
  fieldValidation: any('Strict', 'Warn', 'Ignore', 'strict', '', 'toString'),
  force: FLAGS,
  pretty: FLAGS,
  includeObject: any('None', 'Metadata', 'Object', 'constructor'),
  gracePeriodSeconds: INTEGERS,
  propagationPolicy: any('Background', 'Foreground', 'Orphan', 'orphan', 'toString'),
  orphanDependents: FLAGS,
  ignoreStoreReadErrorWithClusterBreakingPotential: FLAGS,
  exclude: any('ping', 'etcd', '__proto__'),
  verbose: FLAGS,
  container: any('a', '__proto__'),
  tailLines: INTEGERS,
  sinceTime: any('2024-01-02T03:04:05Z', 'x'),
  command: any('ls', ''),
  path: any('/', '../..', '//evil.invalid/'),
};
const NAMES = Object.keys(PARAMETERS);

/** A query string with its `?`, or ''. `wanted` come first; some appear twice, some are no parameters at all. */
export function queryString(random: Random, wanted: readonly string[] = [], most = 4): string {
  const pairs: string[] = [];
  const count = random.int(most + 1);
  for (const name of [...wanted, ...Array.from({ length: count }, () => random.pick(NAMES))]) {
    pairs.push(`${name}=${encode(PARAMETERS[name]?.(random) ?? '')}`);
  }
  if (random.chance(0.05)) pairs.push(`${random.pick(HOSTILE_KEYS)}=${encode(hostileString(random))}`);
  if (random.chance(0.03))
    pairs.push(random.pick(['%', '%zz=1', '=', '&&', 'a=%ff%fe', 'a[b]=c', ';', 'limit', '%00=%00']));
  if (random.chance(0.01)) for (let i = 0; i < 2000; i++) pairs.push(`p${i}=${i}`);
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}

function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed()).slice(0, 20_000);
}

function labelSelector(random: Random): string {
  const key = (): string =>
    random.pick(['app', 'a/b', 'fuzz', ...HOSTILE_KEYS, '', 'a b', '-', 'x'.repeat(64), 'ü', '!']);
  const one = (): string =>
    random.pick([
      `${key()}=${key()}`,
      `${key()}==x`,
      `${key()}!=x`,
      `${key()} in (a,b,${key()})`,
      `${key()} notin (a)`,
      `!${key()}`,
      key(),
      `${key()} in ()`,
      `${key()} in (`,
      `${key()} > 1`,
      `${key()} < a`,
      `${key()}===x`,
      '(((((((((',
      ',,,',
      '=',
      '\u0000',
    ]);
  const count = random.chance(0.02) ? 3000 : 1 + random.int(3);
  return Array.from({ length: count }, one).join(',').slice(0, 12_000);
}

function fieldSelector(random: Random): string {
  const field = (): string =>
    random.pick([
      'metadata.name',
      'metadata.namespace',
      'spec.nodeName',
      'status.phase',
      'type',
      'metadata.labels.a',
      ...HOSTILE_KEYS,
      '',
      'spec',
      'a.b.c',
    ]);
  const one = (): string =>
    `${field()}${random.pick(['=', '==', '!=', '', ' in ', '\\='])}${random.pick(['fz-0', '', 'a\\,b', 'a\\', '=', '__proto__', 'ü'])}`;
  return Array.from({ length: random.chance(0.02) ? 2000 : 1 + random.int(3) }, one)
    .join(',')
    .slice(0, 12_000);
}

function continueToken(random: Random): string {
  const token = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const start = random.pick([
    'fuzz-a/fz-0\u0000',
    'fz-0\u0000',
    '',
    '../x',
    '/',
    '\uffff',
    'a/b/c/d\u0000',
    '__proto__/constructor\u0000',
  ]);
  return random.pick([
    token({ v: 'meta.k8s.io/v1', rv: random.pick([-1, 0, 1, 5, 2 ** 53, 1.5, 1e300, -5, 'x', null]), start }),
    token({ v: 'meta.k8s.io/v1', rv: 1, start: { toString: 1 } }),
    token({ v: 'v2', rv: 1, start }),
    token({ __proto__: 1 }),
    token(null),
    token([]),
    token(`${'['.repeat(5000)}`),
    Buffer.from('['.repeat(9000)).toString('base64url'),
    'AAAA',
    '!!!!',
    hostileString(random),
  ]);
}
