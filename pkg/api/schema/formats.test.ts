import { describe, expect, test } from 'vitest';
import { isKnownFormat, matchesFormat } from './formats.ts';

const long = 'a'.repeat(64);

const cases: Readonly<Record<string, readonly [good: readonly string[], bad: readonly string[]]>> = {
  bsonobjectid: [
    ['507f1f77bcf86cd799439011', '507F1F77BCF86CD799439011'],
    ['507f1f77bcf86cd79943901', 'x', ''],
  ],
  byte: [
    ['YQ==', 'YWJj', 'YWI='],
    ['YQ', 'Y===', 'YQ=a', '', 'a b='],
  ],
  cidr: [
    ['10.0.0.0/8', '10.0.0.1/8', '192.0.02.1/24', '::/0', '2001:db8::1/32'],
    ['10.0.0.0', '10.0.0.0/33', '::/129', 'x/8', '/8', '1.2.3.4/-1', 'fe80::1%eth0/64'],
  ],
  creditcard: [
    ['4111111111111111', '4111-1111-1111-1111', 'card 4012 8888 8888 1881'],
    ['4111111111111112', '9999-9999-9999-9999', '4111', ''],
  ],
  date: [
    ['2020-02-29', '0000-01-01'],
    ['2021-02-29', '2020-1-1', '2020-01-01T00:00:00Z', ''],
  ],
  'date-time': [
    ['2020-01-01T00:00:00Z', '2020-01-01t00:00:00.123456789+01:00', '2020-01-01T23:59:59z', '2020-01-01T00:00:00,5Z'],
    ['2020-01-01 00:00:00Z', '2020-01-01T00:00:00', '2020-13-01T00:00:00Z', '2020-01-01T24:00:00Z', 'zorg', ''],
  ],
  duration: [
    [
      '1h30m',
      '-1.5h',
      '0',
      '22 ns',
      '3 days',
      '1 week and 2 days',
      '1wk',
      '45 weeekks 1 second',
      '5 hr',
      '1  milliseconds',
    ],
    ['1x', '12 parsecs', '12 y', 'yada', '45 wekk', '', '5', '9999999999999999999999 weeks'],
  ],
  email: [
    [
      'a@b.c',
      'email+tag@example.com',
      '" "@example.com',
      '"Abc\\@def"@example.com',
      "!#$%&'*+-/=?^_`{}|~@example.com",
      'postmaster@☁→❄.ws',
      'root@localhost',
      'Ann <a@b.c>',
      '"Ann, B." <a@b.c>',
      '<a@b.c>',
      'a@[127.0.0.1]',
    ],
    ['a', 'a@b@c', 'a b@c.d', 'a@', '@b', 'a..b@c', 'Ann <a@b.c', 'Ann a@b.c', '', `${'a '.repeat(5000)}@`],
  ],
  hexcolor: [
    ['#fff', 'fff', '#FFFFFF'],
    ['#ffff', '#fffffz', ''],
  ],
  hostname: [
    [
      'somewhere.com',
      '888.com',
      '1.2.3.4.com',
      'localhost',
      'x',
      'x-y',
      '☁→❄.ws',
      'ôlà.ôlà',
      'ex=ample.com',
      '<foo>',
      'a.b.dot',
    ],
    [
      'a.b',
      'a.',
      '1.1.1.1',
      'somewhere.com!',
      'u@e.domain',
      'www.-d.org',
      'www-',
      '_a.b.cc',
      'a b.cc',
      long,
      `x.${long}`,
      '',
    ],
  ],
  ipv4: [
    ['1.2.3.4', '192.168.1.01', '::ffff:1.2.3.4'],
    ['1.2.3', '::1', '1.2.3.256', '1.2.3.4.5', ''],
  ],
  ipv6: [
    ['::1', '::ffff:1.2.3.4', 'fe80::1'],
    ['1.2.3.4', 'fe80::1%eth0', 'x', ''],
  ],
  isbn: [
    ['0321751043', '978-0321751041', '0-306-40615-2', '097522980X'],
    ['836217463', '978-0321751042', 'x'],
  ],
  isbn10: [['0321751043'], ['978-0321751041', '0321751044']],
  isbn13: [['978-0321751041'], ['0321751043', '978-0321751042']],
  'k8s-short-name': [
    ['a-b', '1'],
    ['A', '-a', long],
  ],
  'k8s-long-name': [
    ['a.b', `${long}.b`],
    ['A.b', 'a_b', 'a..b'],
  ],
  mac: [
    ['00:00:5e:00:53:01', '00-00-5e-00-53-01', '0000.5e00.5301', '02:00:5e:10:00:00:00:01', `00${':00'.repeat(19)}`],
    ['01:02:03:04:05', '00:00-5e:00:53:01', '00:00:5e:00:53:0g', '0:0:5e:0:53:1', ''],
  ],
  password: [['', 'x'], []],
  rgbcolor: [
    ['rgb(1,2,3)', 'rgb( 0 , 99, 255 )'],
    ['rgb(300,0,0)', 'rgb(01,2,3)', 'rgba(1,2,3)', 'rgb(1,2)'],
  ],
  ssn: [
    ['123-45-6789', '123 45 6789'],
    ['123456789', '123-456789', '999 99 999'],
  ],
  uri: [
    ['http://a', '/a', '/a b', 'mailto:a@b', 'http:', 'http://a:80/p?q#f', 'http://[::1]:80/'],
    ['a', '', ':x', 'http://a b', '/%zz', 'http://a:x/', 'http://[::1'],
  ],
  uuid: [
    ['123e4567-e89b-12d3-a456-426614174000', '123E4567E89B12D3A456426614174000', '123e4567-e89b12d3-a456426614174000'],
    ['{123e4567-e89b-12d3-a456-426614174000}', '123e4567-e89b-12d3-a456-42661417400', ''],
  ],
  uuid3: [['a3bb189e-8bf9-3888-9912-ace4e6543002'], ['a3bb189e-8bf9-4888-9912-ace4e6543002']],
  uuid4: [['a3bb189e-8bf9-4888-9912-ace4e6543002'], ['a3bb189e-8bf9-4888-7912-ace4e6543002']],
  uuid5: [['a3bb189e-8bf9-5888-9912-ace4e6543002'], ['a3bb189e-8bf9-4888-9912-ace4e6543002']],
  whatever: [['x', ''], []],
};

describe.each(Object.entries(cases))('%s', (format, [good, bad]) => {
  test.each([...good.map((value) => [value, true] as const), ...bad.map((value) => [value, false] as const)])(
    '%j: %s',
    (value, wanted) => {
      expect(matchesFormat(format, value)).toBe(wanted);
    },
  );
});

test.each([
  ['date-time', 'string', true],
  ['datetime', '', true],
  ['date', 'integer', false],
  ['int32', 'integer', true],
  ['int32', 'string', false],
  ['double', 'number', true],
  ['whatever', 'string', false],
  ['uuid', 'object', false],
])('format %s of %j is known: %s', (format, type, known) => {
  expect(isKnownFormat(format, type)).toBe(known);
});
