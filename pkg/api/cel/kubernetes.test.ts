import { describe, expect, test } from 'vitest';
import type { Schema } from '../schema.ts';
import {
  AUTHORIZER_TYPE,
  AuthorizerValue,
  CELError,
  celTypes,
  type DeclType,
  declTypeFromSchema,
  Environment,
  escapeName,
  kubernetesLibraries,
  loadRegexEngine,
  toJSON,
  unescapeName,
  type VariableDecl,
} from './index.ts';

const regex = await loadRegexEngine();
const libraries = kubernetesLibraries(regex);
const base = new Environment({ variables: new Map(), libraries });
const unfolded = new Environment({ variables: new Map(), libraries, foldConstants: false });

function objectSchema(properties: Record<string, Schema>, more: Partial<Schema> = {}): Schema {
  return { type: 'object', properties: new Map(Object.entries(properties)), ...more };
}

function withSelf(schema: Schema, root = false): { environment: Environment; decl: DeclType } {
  const decl = declTypeFromSchema(schema, 'self', root);
  if (decl === undefined) throw new Error('no type');
  const self: VariableDecl = { type: decl.type, decl };
  return { environment: base.extend(new Map([['self', self]])), decl };
}

function compileIn(environment: Environment, text: string) {
  const compiled = environment.compile(text);
  if ('issues' in compiled) throw new Error(compiled.message);
  return compiled;
}

function evaluate(text: string): unknown {
  return toJSON(compileIn(base, text).program.evaluate(new Map()).value);
}

describe('libraries', () => {
  test.each([
    ["[1, 2, 3].isSorted() && ![2, 1].isSorted() && ['a', 'b'].isSorted()", true],
    ['[1, 2, 3].sum()', 6],
    ["[duration('1m'), duration('1s')].sum() == duration('61s')", true],
    ['[1.5, 0.5].max()', 1.5],
    ["['b', 'a'].min()", 'a'],
    ['[1, 2, 2, 1].indexOf(2)', 1],
    ['[1, 2, 2, 1].lastIndexOf(2)', 2],
    ["'abc 123 def 456'.find('[0-9]+')", '123'],
    ["'abc 123 def 456'.findAll('[0-9]+')", ['123', '456']],
    ["'abc 123 def 456'.findAll('[0-9]+', 1)", ['123']],
    ["url('https://user:pw@example.com:8080/a b?x=1&x=2#frag').getHost()", 'example.com:8080'],
    ["url('https://[::1]:80/').getHostname()", '::1'],
    ["url('https://example.com:8080/').getPort()", '8080'],
    ["url('https://example.com/with space/').getEscapedPath()", '/with%20space/'],
    ["url('https://example.com/path?k=a&k=b').getQuery()['k']", ['a', 'b']],
    ["[isURL('https://a.example'), isURL('/path'), isURL('../rel'), isURL('example.com')]", [true, true, false, false]],
    ["quantity('1.5Gi').isGreaterThan(quantity('1Gi')) && quantity('1k') == quantity('1000')", true],
    ["[isQuantity('10Mi'), isQuantity('Gi'), isQuantity('1.3x')]", [true, false, false]],
    ["quantity('50k').add(20).sub(quantity('20k')).asInteger()", 30020],
    ["quantity('200M').asApproximateFloat()", 2e8],
    ["quantity('-3').sign()", -1],
    ["ip('192.168.0.1').family()", 4],
    ["[isIP('::1'), isIP('::ffff:1.2.3.4'), isIP('fe80::1%eth0'), isIP('010.0.0.1')]", [true, false, false, false]],
    ["[ip.isCanonical('2001:db8::abcd'), ip.isCanonical('2001:DB8::ABCD')]", [true, false]],
    ["ip('127.0.0.1').isLoopback() && ip('fe80::1').isLinkLocalUnicast() && ip('8.8.8.8').isGlobalUnicast()", true],
    ["string(ip('2001:db8:0:0:1:0:0:1'))", '2001:db8::1:0:0:1'],
    ["cidr('192.168.0.0/16').containsIP('192.168.10.1')", true],
    ["cidr('192.168.0.0/16').containsCIDR(cidr('192.168.10.0/24'))", true],
    ["string(cidr('192.168.1.5/24').masked())", '192.168.1.0/24'],
    ["cidr('192.168.1.5/24').prefixLength()", 24],
    ["format.dns1123Label().validate('my-name').hasValue()", false],
    ["format.named('dns1123Label').value().validate('No').hasValue()", true],
    ["format.named('nothing').hasValue()", false],
    ["semver('1.2.3').isLessThan(semver('1.10.0')) && semver('1.0.0-rc.1').isLessThan(semver('1.0.0'))", true],
    ["[isSemver('v1.2'), isSemver('v01.2', true), isSemver('1.2.3+b.1')]", [false, true, true]],
    ["semver('v1.2', true).minor()", 2],
    ["'%s is %d and %.2f'.format([dyn('x'), 3, 1.005])", 'x is 3 and 1.00'],
    ["'TacoCat'.lowerAscii().upperAscii().replace('C', 'K', 1).charAt(2)", 'K'],
    ["'a,b,c'.split(',', 2).join('|')", 'a|b,c'],
    ["strings.quote('a\"b')", '"a\\"b"'],
    ['sets.contains([1, 2], [2]) && sets.intersects([1], [1, 2]) && sets.equivalent([1, 1], [1])', true],
    ["{'a': 1, 'b': 2}.transformMap(k, v, v > 1, v * 10)", { b: 20 }],
    ["['x', 'y'].transformList(i, v, v + string(i))", ['x0', 'y1']],
    ["['x'].all(i, v, i == 0 && v == 'x')", true],
    ['[3, 1, 2].sort() + [1, 1].distinct() + [[4], [5]].flatten() + [1, 2].reverse()', [1, 2, 3, 1, 4, 5, 2, 1]],
    ["['bb', 'a'].sortBy(x, x.size())", ['a', 'bb']],
    ['lists.range(4).slice(1, 3)', [1, 2]],
    ["{'a': {'b': 1}}.?a.?c.orValue(7)", 7],
    ['optional.of(1).orValue(1 / 0)', 1],
    ['optional.of(3).optMap(x, x * 2).value()', 6],
  ])('%s', (text, expected) => {
    expect(evaluate(text)).toEqual(expected);
  });

  test.each([
    ["quantity('x')", 'quantities must match the regular expression'],
    ["quantity('1.5').asInteger()", 'cannot convert value to integer'],
    ["ip('::ffff:1.2.3.4')", 'IPv4-mapped IPv6 address "::ffff:1.2.3.4" is not allowed'],
    ['[1][3]', 'index out of bounds: 3'],
    ["{'a': 1}['b']", 'no such key: b'],
    ['1 / 0', 'division by zero'],
    ['9223372036854775807 + 1', 'integer overflow'],
    ['0u - 1u', 'unsigned integer overflow'],
    ['[1].filter(x, x > 1).max()', 'max called on empty list'],
    ['optional.none().value()', 'optional.none() dereference'],
  ])('%s fails', (text, message) => {
    expect(() => evaluate(text)).toThrow(message);
  });

  test('an authorizer asks its host', () => {
    const asked: unknown[] = [];
    const host = {
      check: (check: unknown) => {
        asked.push(check);
        return { allowed: false, reason: 'no' };
      },
    };
    const environment = base.extend(new Map([['authorizer', { type: AUTHORIZER_TYPE }]]));
    const text = "authorizer.group('apps').resource('deployments').namespace('n').check('get').reason()";
    const { value, cost } = compileIn(environment, text).program.evaluate(
      new Map([['authorizer', new AuthorizerValue(host)]]),
    );
    expect(value).toBe('no');
    expect(cost).toBe(350_005);
    expect(asked).toEqual([{ group: 'apps', resource: 'deployments', namespace: 'n', verb: 'get' }]);
  });
});

describe('issues', () => {
  test.each([
    ['1 + x', "ERROR: <input>:1:5: undeclared reference to 'x' (in container '')\n | 1 + x\n | ....^"],
    [
      "1 == 'x'",
      "ERROR: <input>:1:3: found no matching overload for '_==_' applied to '(int, string)'\n | 1 == 'x'\n | ..^",
    ],
    [
      "[timestamp(0)] == duration('1s')",
      "ERROR: <input>:1:16: found no matching overload for '_==_' applied to '(list(timestamp), duration)'\n | [timestamp(0)] == duration('1s')\n | ...............^",
    ],
    [
      '[string, int]',
      "ERROR: <input>:1:10: expected type 'type(string)' but found 'type(int)'\n | [string, int]\n | .........^",
    ],
    ['duration(1)', 'ERROR: <input>:1:10: invalid duration argument\n | duration(1)\n | .........^'],
    [
      'timestamp(999999999999999)',
      'ERROR: <input>:1:11: invalid timestamp argument\n | timestamp(999999999999999)\n | ..........^',
    ],
    ["'a'.fun()", "ERROR: <input>:1:8: undeclared reference to 'fun' (in container '')\n | 'a'.fun()\n | .......^"],
    ["[1, 'a']", "ERROR: <input>:1:5: expected type 'int' but found 'string'\n | [1, 'a']\n | ....^"],
    [
      'true.all(y, y)',
      "ERROR: <input>:1:1: expression of type 'bool' cannot be range of a comprehension (must be list, map, or dynamic)\n | true.all(y, y)\n | ^",
    ],
    ["duration('1x')", "ERROR: <input>:1:10: invalid duration argument\n | duration('1x')\n | .........^"],
    ["'a'.matches('(')", "ERROR: <input>:1:13: invalid matches argument\n | 'a'.matches('(')\n | ............^"],
    ['for', 'ERROR: <input>:1:1: reserved identifier: for\n | for\n | ^'],
    [
      '1 >>> 1',
      "ERROR: <input>:1:4: Syntax error: mismatched input '>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}\n | 1 >>> 1\n | ...^",
    ],
    ['(1', "ERROR: <input>:1:3: Syntax error: mismatched input '<EOF>' expecting ')'\n | (1\n | ..^"],
    [
      'math.greatest(1, 2)',
      "ERROR: <input>:1:1: undeclared reference to 'math' (in container '')\n | math.greatest(1, 2)\n | ^",
    ],
  ])('%s', (text, message) => {
    const compiled = base.compile(text);
    if (!('issues' in compiled)) throw new Error('compiled');
    expect(compiled.message.split('\nERROR')[0]).toBe(message);
  });

  test('limits of length and depth', () => {
    const long = `'${'x'.repeat(100_001)}'`;
    expect(base.compile(long)).toMatchObject({
      issues: [{ message: expect.stringContaining('code point size exceeds limit') }],
    });
    for (const deep of [
      '('.repeat(5000) + 1 + ')'.repeat(5000),
      `1${' + 1'.repeat(5000)}`,
      `[${'['.repeat(5000)}`,
      `a${'.b'.repeat(5000)}`,
    ]) {
      expect(base.compile(deep)).toMatchObject({ issues: [{ message: expect.stringContaining('recursion') }] });
    }
    const doubled = `optional.of(1)${'.optMap(x, x)'.repeat(40)}`;
    expect(base.compile(doubled)).toMatchObject({ issues: [{ message: 'expression is too large' }] });
    const wide = `${'true && '.repeat(2000)}true`;
    expect(compileIn(base, wide).program.evaluate(new Map()).value).toBe(true);
  });
});

describe('schemas', () => {
  const text: Schema = { type: 'string', constraints: { maxLength: 10 } };
  const schema = objectSchema(
    {
      name: text,
      namespace: text,
      'dash-ed.dot/ted__x': text,
      port: { type: 'intOrString' },
      ratio: { type: 'number' },
      at: { type: 'string', format: 'date-time' },
      day: { type: 'string', format: 'date' },
      wait: { type: 'string', format: 'duration' },
      data: { type: 'string', format: 'byte' },
      tags: { type: 'array', items: text, listType: 'set', constraints: { maxItems: 5 } },
      labels: { type: 'object', additionalProperties: text },
      none: { type: 'string', nullable: true },
      days: { type: 'string', format: 'duration' },
      free: { type: 'any' },
      template: objectSchema({}, { embeddedResource: true }),
    },
    { required: ['name'] },
  );
  const { environment } = withSelf(schema, true);
  const self = {
    name: 'a',
    namespace: 'n',
    'dash-ed.dot/ted__x': 'd',
    port: 80,
    ratio: 2,
    at: '2026-01-02T03:04:05Z',
    day: '2026-01-02',
    wait: '1m30s',
    data: 'aGk=',
    tags: ['x', 'y'],
    none: null,
    days: '3 days',
    labels: JSON.parse('{"__proto__": "p", "constructor": "c"}'),
    metadata: { name: 'm', labels: { a: 'b' } },
    template: { kind: 'Pod' },
  };
  const holds = (rule: string): unknown =>
    compileIn(environment, rule).program.evaluate(new Map([['self', self]])).value;

  test.each([
    "self.name == 'a' && self.__namespace__ == 'n' && self.dash__dash__ed__dot__dot__slash__ted__underscores__x == 'd'",
    'type(self.port) == int && self.port == 80',
    'self.ratio / 4.0 == 0.5',
    "self.at.getFullYear() == 2026 && self.day == timestamp('2026-01-02T00:00:00Z')",
    "self.wait == duration('90s') && self.days == duration('72h')",
    '!has(self.none) && !self.?none.hasValue()',
    "self.data == b'hi'",
    "self.tags == ['y', 'x'] && (self.tags + ['x']).size() == 2",
    "self.labels['__proto__'] == 'p' && 'constructor' in self.labels && !('toString' in self.labels)",
    'self.labels.all(k, self.labels[k].size() == 1)',
    "self.metadata.name == 'm' && self.template.kind == 'Pod' && !has(self.apiVersion)",
  ])('%s', (rule) => {
    expect(holds(rule)).toBe(true);
  });

  test('fields without a type, and other metadata, are unknown', () => {
    for (const rule of ['self.free', 'self.metadata.labels', 'self.toString', 'self.__proto__']) {
      expect(environment.compile(rule)).toMatchObject({
        issues: [{ message: expect.stringContaining('undefined field') }],
      });
    }
  });

  test('names', () => {
    for (const name of ['namespace', 'a-b', 'a.b/c', 'a__b', 'plain', '$ref', '0a', '']) {
      const escaped = escapeName(name);
      if (escaped !== undefined) expect(unescapeName(escaped)).toBe(name);
    }
    expect(['namespace', 'a-b', '$ref', '0a'].map(escapeName)).toEqual([
      '__namespace__',
      'a__dash__b',
      undefined,
      undefined,
    ]);
  });
});

describe('costs', () => {
  test.each([
    ["'a' == 'b'", 1, 1],
    ['[1, 2, 3].all(x, true)', 20, 20],
    ["'123'.matches('[0-9]')", 2, 2],
    ["'0123456789'.contains('0123456789')", 1, 1],
    ['[1, 2, 3, 4, 5].sum()', 15, 15],
    ['[1, 2, 3, 4, 5].map(x, x)', 86, 86],
    ["{'a': 1}.a", 32, 31],
    ['2 in [1, 2, 3]', 13, 13],
    ["url('https://kubernetes.io/').getHost()", 4, 4],
    ["quantity('12345').add(quantity('12345'))", 3, 3],
    ["cidr('192.168.0.0/24').containsIP(ip('192.168.0.1'))", 5, undefined],
    ['sets.contains([1, 2, 3, 4], [2, 3])', 29, 29],
    ['[1, 2].reverse()', 23, 23],
    ["true || 'a'.matches('b')", 0, 1],
  ])('%s', (text, runtime, max) => {
    const compiled = compileIn(unfolded, text);
    expect(compiled.program.evaluate(new Map()).cost).toBe(runtime);
    if (max !== undefined) expect(unfolded.estimateCost(compiled).max).toBe(max);
  });

  test('constants cost nothing when they are folded', () => {
    expect(
      compileIn(base, "'b' in ['a', 'b'] && duration('1h') == duration('60m')").program.evaluate(new Map()).cost,
    ).toBe(1);
  });

  test('estimates follow the limits of schemas', () => {
    const items: Schema = { type: 'string', constraints: { maxLength: 10 } };
    const limited = withSelf(objectSchema({ l: { type: 'array', items, constraints: { maxItems: 5 } } })).environment;
    const unlimited = withSelf(objectSchema({ l: { type: 'array', items: { type: 'string' } } })).environment;
    const rule = "self.l.all(x, x.matches('^a+$'))";
    // A character is up to four bytes: ceil(41 * 0.1) * ceil(4 * 0.25) for the match, 4 more a round, 3 around it.
    expect(limited.estimateCost(compileIn(limited, rule)).max).toBe(2 + 1 + 5 * (2 + 1 + 1 + 5));
    expect(unlimited.estimateCost(compileIn(unlimited, rule)).max).toBeGreaterThan(100_000_000_000);
  });

  test('the type of a value has no size that is known, the name of a type has that of the root', () => {
    const { environment } = withSelf(objectSchema({ s: { type: 'string' } }));
    const max = (rule: string) => environment.estimateCost(compileIn(environment, rule)).max;
    expect(max('type(self.s) == string')).toBeLessThan(10);
    expect(max('type(self.s) == type(self.s)')).toBeGreaterThan(100_000_000_000);
  });

  test('the limit ends an evaluation, whatever absorbs errors', () => {
    const { environment } = withSelf({ type: 'array', items: { type: 'integer' } });
    const { program } = compileIn(environment, 'self.all(x, self.all(y, self.all(z, x + y + z >= 0))) || true');
    const activation = new Map([['self', Array.from({ length: 1000 }, (_, i) => i)]]);
    const caught = (() => {
      try {
        program.evaluate(activation, { costLimit: 10_000 });
      } catch (error) {
        return error;
      }
      return undefined;
    })();
    expect(caught).toBeInstanceOf(CELError);
    expect(caught).toMatchObject({ code: 'cost', message: 'operation cancelled: actual cost limit exceeded' });
  });
});

test('a program gives its type', () => {
  expect(celTypes.formatType(compileIn(base, "{'a': [1]}").program.type)).toBe('map(string, list(int))');
});
