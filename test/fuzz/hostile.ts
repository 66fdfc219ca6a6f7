import type { Random } from './random.ts';
import { Members, Raw, type Value } from './value.ts';

/** Names that mean something to the language the server is written in. */
export const HOSTILE_KEYS: readonly string[] = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'valueOf',
  'hasOwnProperty',
  'toJSON',
  'then',
  'length',
  '__defineGetter__',
  '__lookupSetter__',
  'isPrototypeOf',
];

const STRINGS: readonly string[] = [
  '',
  ' ',
  '\u0000',
  '\n',
  '\u007f\u001b[31m',
  '\ud800',
  '\udfff\ud800',
  '\ufeff\u202e\u200b',
  'é',
  'e\u0301',
  '🦄'.repeat(64),
  '../../../etc/passwd',
  '..%2f..',
  '$(jndi:ldap://a)',
  '$(FOO)',
  '{{.}}',
  '%s%n%x',
  "'; DROP TABLE pods;--",
  '-1',
  '1e400',
  '0x10',
  '1_000',
  'NaN',
  'null',
  'true',
  '9'.repeat(400),
  '1e999999999Ki',
  '-9223372036854775809',
  '1.00000000000000000000000001m',
  '0000-00-00T00:00:00Z',
  '2024-02-30T25:61:61Z',
  '9999-12-31T23:59:60.999999999999Z',
  'PT1H',
  '99999999999999999h',
  'a'.repeat(63),
  'a'.repeat(64),
  'a'.repeat(254),
  `${'a.'.repeat(126)}a`,
  'A_b',
  'a..b',
  '-a',
  'a-',
  'xn--ls8h',
  '*',
  '10.43.0.1',
  '010.0.0.1',
  '::ffff:10.43.0.1',
  '10.43.0.0/99',
  '::/0',
  'fe80::1%eth0',
  '(a+)+$',
  `^(${'a|'.repeat(200)}a)*$`,
  '[',
  '(?=a)',
  '{.items[*]..a[?(@.b=="c")]}',
  'kubernetes.io/metadata.name',
  'a/b/c',
  '/',
  '~0~1',
  'application/json',
  'AAAA====',
  'not base64!',
];

const NUMBERS: readonly string[] = [
  '0',
  '-0',
  '-1',
  '1',
  '0.5',
  '1e3',
  '1E-400',
  '1e400',
  '-1e400',
  '2147483647',
  '2147483648',
  '-2147483649',
  '4294967296',
  '9007199254740993',
  '9223372036854775807',
  '9223372036854775808',
  '-9223372036854775809',
  '18446744073709551616',
  '9'.repeat(1000),
  `0.${'0'.repeat(500)}1`,
];

/** Not JSON at all. */
const BROKEN: readonly string[] = [
  'NaN',
  'Infinity',
  '01',
  '+1',
  '.5',
  'undefined',
  "'a'",
  '"\\x"',
  '"\\ud800',
  '[1,]',
  '{',
  '"\u0001"',
];

export function hostileKey(random: Random): string {
  return random.chance(0.6) ? random.pick(HOSTILE_KEYS) : random.pick(STRINGS);
}

export function hostileString(random: Random): string {
  if (random.chance(0.15)) return random.pick(HOSTILE_KEYS);
  if (random.chance(0.03))
    return random.pick(['x', 'ü', '\u0000', '🦄', '"', '\\', 'a,', '\n- ']).repeat(1 + random.int(60_000));
  return random.pick(STRINGS);
}

export function hostileNumber(random: Random): Value {
  return new Raw(random.pick(NUMBERS));
}

/** Something that hardly any field wants. */
export function hostileValue(random: Random): Value {
  return random.weighted<() => Value>([
    [4, () => hostileString(random)],
    [4, () => hostileNumber(random)],
    [3, () => null],
    [1, () => random.chance(0.5)],
    [2, () => []],
    [2, () => new Members()],
    [2, () => [null, [null], new Members([['', null]])]],
    [3, () => pollution(random)],
    [1, () => nested(random, 1 + random.int(random.chance(0.1) ? 12_000 : 300))],
    [1, () => wide(random)],
    [0.3, () => new Raw(random.pick(BROKEN))],
  ])();
}

/** What a careless merge would write into every object of the server. */
export function pollution(random: Random): Members {
  const payload = (): Members =>
    new Members([
      ['polluted', 'yes'],
      ['toString', null],
      ['kind', 'Polluted'],
      ['namespace', 'polluted'],
    ]);
  if (random.chance(0.3)) return new Members([['constructor', new Members([['prototype', payload()]])]]);
  return new Members([[random.pick(HOSTILE_KEYS), random.chance(0.7) ? payload() : hostileString(random)]]);
}

function nested(random: Random, depth: number): Value {
  const [open, close] = random.pick([
    ['[', ']'],
    ['{"a":', '}'],
    ['{"__proto__":', '}'],
    ['[{"properties":', '}]'],
  ] as const);
  return new Raw(`${open.repeat(depth)}null${close.repeat(depth)}`);
}

function wide(random: Random): Value {
  const count = 1 + random.int(5000);
  if (random.chance(0.5)) return new Raw(`[${'0,'.repeat(count)}0]`);
  const entries: [string, Value][] = [];
  for (let i = 0; i < count; i++) entries.push([`k${i}`, i]);
  return new Members(entries);
}
