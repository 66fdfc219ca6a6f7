import { tests as conformance } from '@bufbuild/cel-spec/testdata/conformance.js';
import { describe, expect, test } from 'vitest';
import type { Library, Overload } from './declarations.ts';
import { Environment, type VariableDecl } from './environment.ts';
import { CELError } from './failure.ts';
import { bindingsLibrary } from './library/bindings.ts';
import { mathLibrary } from './library/math.ts';
import { optionalLibrary } from './library/optional.ts';
import { setsLibrary } from './library/sets.ts';
import { standardLibrary } from './library/standard.ts';
import { stringsLibrary } from './library/strings.ts';
import { twoVariablesLibrary } from './library/two-variables.ts';
import { loadRegexEngine } from './regex.ts';
import * as types from './types.ts';
import { type CelType, formatType } from './types.ts';
import {
  ArrayList,
  equalValues,
  HashMapValue,
  ListValue,
  type MapKey,
  MapValue,
  mapKey,
  OptionalValue,
  TypeValue,
  Uint,
  type Value,
} from './values.ts';

/** Whole files that cannot apply, and why. */
const SKIPPED_FILES: Readonly<Record<string, string>> = {
  dynamic: 'protobuf messages: Kubernetes objects are JSON with schemas',
  proto2: 'protobuf messages',
  proto2_ext: 'protobuf messages',
  proto3: 'protobuf messages',
  wrappers: 'protobuf wrapper messages',
  enums: 'protobuf enums',
  block_ext: 'cel.block is made by optimizers, not written by users',
  encoders_ext: "base64 is not in Kubernetes' environment",
};

interface Case {
  readonly original: {
    readonly name?: string;
    readonly expr: string;
    readonly value?: Json;
    readonly typedResult?: Json;
    readonly evalError?: Json;
    readonly disableCheck?: boolean;
    readonly checkOnly?: boolean;
    readonly container?: string;
    readonly typeEnv?: readonly Json[];
    readonly bindings?: Readonly<Record<string, Json>>;
  };
}
interface Suite {
  readonly name: string;
  readonly suites?: readonly Suite[];
  readonly tests?: readonly Case[];
}
// biome-ignore lint/suspicious/noExplicitAny: protobuf JSON of the test data
type Json = any;

const SKIPPED: Readonly<Record<string, string>> = {};

const regex = await loadRegexEngine();
const libraries: readonly Library[] = [
  standardLibrary(regex),
  optionalLibrary(),
  stringsLibrary(4),
  mathLibrary(),
  bindingsLibrary(),
  setsLibrary(),
  twoVariablesLibrary(),
];
const base = new Environment({ variables: new Map(), libraries, strictLiterals: false });

for (const file of ((conformance as Suite).suites ?? []).filter(hasCases)) {
  const skip = SKIPPED_FILES[file.name] !== undefined;
  describe.skipIf(skip)(`${file.name}${skip ? ` (${SKIPPED_FILES[file.name]})` : ''}`, () => {
    for (const { group, item } of casesOf(file, '')) {
      const name = `${group}/${item.original.name ?? item.original.expr}`;
      const reason = SKIPPED[`${file.name}${name}`] ?? protobufReason(item);
      test.skipIf(reason !== undefined)(reason === undefined ? name : `${name} (${reason})`, () => run(item));
    }
  });
}

function hasCases(suite: Suite): boolean {
  return (suite.tests?.length ?? 0) > 0 || (suite.suites ?? []).some(hasCases);
}

function* casesOf(suite: Suite, group: string): Generator<{ group: string; item: Case }> {
  for (const item of suite.tests ?? []) yield { group, item };
  for (const inner of suite.suites ?? []) yield* casesOf(inner, `${group}/${inner.name}`);
}

function protobufReason(item: Case): string | undefined {
  const text = JSON.stringify(item.original);
  if (/TestAllTypes|proto[23]\.|google\.protobuf\.(?!Duration|Timestamp)|google\.protobuf\.\w+\s*\{/.test(text))
    return 'protobuf messages';
  return undefined;
}

function run(item: Case): void {
  const { original } = item;
  const variables = new Map<string, VariableDecl>();
  for (const decl of original.typeEnv ?? []) {
    if (decl.ident !== undefined) variables.set(decl.name, { type: typeFrom(decl.ident.type) });
  }
  const functions = declared(original.typeEnv ?? []);
  const used = functions === undefined ? libraries : [...libraries, functions];
  const options = {
    variables,
    libraries: used,
    strictLiterals: false,
    escapedNames: true,
    container: original.container ?? '',
  };
  const environment = new Environment(options, functions === undefined ? base : undefined);
  const compiled = original.disableCheck
    ? environment.compileUnchecked(original.expr)
    : environment.compile(original.expr);
  const activation = new Map<string, Value>();
  for (const [name, binding] of Object.entries(original.bindings ?? {}))
    activation.set(name, valueFrom((binding as Json).value));
  if (original.evalError !== undefined) {
    if ('issues' in compiled) return;
    expect(() => compiled.program.evaluate(activation)).toThrow(CELError);
    return;
  }
  if ('issues' in compiled) throw new Error(compiled.message);
  const expectedType = original.typedResult?.deducedType;
  if (expectedType !== undefined) expect(formatType(compiled.program.type)).toBe(formatType(typeFrom(expectedType)));
  if (original.checkOnly) return;
  const { value } = compiled.program.evaluate(activation);
  const wanted = original.typedResult?.result ?? original.value;
  const expected = wanted === undefined ? true : valueFrom(wanted);
  if (!(typeof expected === 'number' && Number.isNaN(expected) && Number.isNaN(value))) {
    if (!same(value, expected)) throw new Error(`got ${show(value)}, want ${show(expected)}`);
  }
}

/** Functions that a case declares for the checker. */
function declared(typeEnv: readonly Json[]): Library | undefined {
  const overloads = typeEnv.flatMap((decl) =>
    (decl.function?.overloads ?? []).map((item: Json): Overload => {
      const params = (item.params ?? []).map(typeFrom);
      const invoke = (): Value => null;
      const result = typeFrom(item.resultType);
      const typeParams = [...new Set([...params, result].flatMap(variablesOf))];
      return {
        id: item.overloadId,
        fn: decl.name,
        member: item.isInstanceFunction === true,
        params,
        result,
        typeParams,
        invoke,
      };
    }),
  );
  return overloads.length === 0 ? undefined : { name: 'declared', overloads };
}

function variablesOf(type: CelType): string[] {
  return type.kind === 'param' ? [type.name] : type.params.flatMap(variablesOf);
}

/** Equal, and of the same types. */
function same(a: Value, b: Value): boolean {
  if (a instanceof Uint !== b instanceof Uint || typeof a !== typeof b) return false;
  return equalValues(a, b);
}

function show(value: Value): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return `${value} (double)`;
  if (value instanceof Uint) return `${value.value}u`;
  if (value instanceof ListValue) return `[${[...value].map(show).join(', ')}]`;
  if (value instanceof MapValue) {
    return `{${[...value.keys()].map((key) => `${show(key)}: ${show(value.get(mapKey(key)!)!)}`).join(', ')}}`;
  }
  if (value instanceof OptionalValue) return `optional(${value.value === undefined ? '' : show(value.value)})`;
  if (value instanceof TypeValue) return value.type.name;
  return JSON.stringify(value, (_, item) => (typeof item === 'bigint' ? String(item) : item));
}

function valueFrom(json: Json): Value {
  if ('int64Value' in json) return BigInt(json.int64Value);
  if ('uint64Value' in json) return new Uint(BigInt(json.uint64Value));
  if ('doubleValue' in json) return Number(json.doubleValue);
  if ('stringValue' in json) return json.stringValue;
  if ('bytesValue' in json) return new Uint8Array(Buffer.from(json.bytesValue, 'base64'));
  if ('boolValue' in json) return json.boolValue;
  if ('nullValue' in json) return null;
  if ('listValue' in json) return new ArrayList((json.listValue.values ?? []).map(valueFrom));
  if ('typeValue' in json) return new TypeValue(typeNamed(json.typeValue));
  if ('objectValue' in json) return objectFrom(json.objectValue);
  const entries = new Map<MapKey, readonly [Value, Value]>();
  for (const entry of json.mapValue.entries ?? []) {
    const key = valueFrom(entry.key);
    entries.set(mapKey(key)!, [key, valueFrom(entry.value)]);
  }
  return new HashMapValue(entries);
}

function objectFrom(json: Json): Value {
  const source = json['@type'].endsWith('Duration') ? 'duration' : 'timestamp';
  const made = base.compile(`${source}(${JSON.stringify(json.value)})`);
  if ('issues' in made) throw new Error(made.message);
  return made.program.evaluate(new Map()).value;
}

function typeNamed(name: string): CelType {
  if (name === 'list') return types.listOf(types.DYN);
  if (name === 'map') return types.mapOf(types.DYN, types.DYN);
  return types.opaqueType(name);
}

const PRIMITIVES: Readonly<Record<string, CelType>> = {
  BOOL: types.BOOL,
  INT64: types.INT,
  UINT64: types.UINT,
  DOUBLE: types.DOUBLE,
  STRING: types.STRING,
  BYTES: types.BYTES,
};

function typeFrom(json: Json): CelType {
  if ('primitive' in json) return PRIMITIVES[json.primitive]!;
  if ('wellKnown' in json)
    return json.wellKnown === 'DURATION'
      ? types.DURATION
      : json.wellKnown === 'TIMESTAMP'
        ? types.TIMESTAMP
        : types.DYN;
  if ('listType' in json) return types.listOf(typeFrom(json.listType.elemType ?? { dyn: {} }));
  if ('mapType' in json)
    return types.mapOf(typeFrom(json.mapType.keyType ?? { dyn: {} }), typeFrom(json.mapType.valueType ?? { dyn: {} }));
  if ('null' in json) return types.NULL;
  if ('type' in json) return types.typeOf(typeFrom(json.type));
  if ('wrapper' in json) return types.wrapperOf(PRIMITIVES[json.wrapper]!);
  if ('abstractType' in json)
    return types.opaqueType(json.abstractType.name, ...(json.abstractType.parameterTypes ?? []).map(typeFrom));
  if ('typeParam' in json) return types.paramType(json.typeParam);
  return types.DYN;
}
