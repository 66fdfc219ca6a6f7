import { typeFacts } from '../generated/facts.ts';
import type { Schema, SchemaType } from '../schema.ts';

/**
 * The schema of a built-in type, named as in the facts: `core.v1.Pod`, `meta.v1.ObjectMeta`. Built when first asked for, its
 * fields when first looked at. Throws for a name that the facts do not have.
 */
export function builtinSchema(packageType: string): Schema {
  const schema = builtinSchemas().get(packageType);
  if (schema === undefined) throw new Error(`no built-in type ${packageType}`);
  return schema;
}

/** Whether the facts have this type. */
export function hasBuiltinType(packageType: string): boolean {
  return builtinSchemas().has(packageType);
}

/** `core.v1` etc. for a group and version: `apps`, `v1` -> `apps.v1`; undefined when there is none. */
export function builtinPackage(group: string, version: string): string | undefined {
  return builtinSchemas().packageOf(group, version);
}

/** What the facts say of a package. */
export interface PackageFact {
  readonly name: string;
  /** How OpenAPI names its types: `io.k8s.api.core.v1`. */
  readonly openAPIPrefix: string;
  readonly group?: string;
  readonly version?: string;
}

export function builtinPackages(): readonly PackageFact[] {
  return builtinSchemas().packages;
}

/** Names of the types of a package, without it. */
export function builtinTypeNames(packageName: string): readonly string[] {
  return builtinSchemas().typeNames(packageName);
}

/** The marks of a type in the facts: `kind`, `kind-everywhere`, `map=atomic`, `union=...`, `empty`, `json`. */
export function builtinTypeMarks(packageType: string): readonly string[] {
  return builtinSchemas().marksOf(packageType);
}

let schemas: BuiltinSchemas | undefined;

/** The facts never change, so one index serves the whole process; it is made on first use. */
function builtinSchemas(): BuiltinSchemas {
  schemas ??= new BuiltinSchemas(typeFacts);
  return schemas;
}

interface TypeFact {
  readonly packageName: string;
  readonly name: string;
  readonly marks: readonly string[];
  /** Where its field lines start and end in the facts. */
  readonly start: number;
  readonly end: number;
}

class BuiltinSchemas {
  readonly packages: PackageFact[] = [];
  readonly #facts: string;
  readonly #types = new Map<string, TypeFact>();
  readonly #schemas = new Map<string, Schema>();
  readonly #properties = new Map<string, StructShape>();

  constructor(facts: string) {
    this.#facts = facts;
    this.#index();
  }

  has(packageType: string): boolean {
    return this.#types.has(packageType);
  }

  get(packageType: string): Schema | undefined {
    const known = this.#schemas.get(packageType);
    if (known !== undefined) return known;
    const fact = this.#types.get(packageType);
    if (fact === undefined) return undefined;
    const schema: Schema = fact.marks.includes('json')
      ? { type: 'any', name: packageType, preserveUnknownFields: true }
      : new StructSchema(this, packageType, fact.marks, {});
    this.#schemas.set(packageType, schema);
    return schema;
  }

  packageOf(group: string, version: string): string | undefined {
    return this.packages.find((one) => one.group === group && one.version === version && one.name !== 'meta.v1')?.name;
  }

  typeNames(packageName: string): string[] {
    return [...this.#types.values()].filter((fact) => fact.packageName === packageName).map((fact) => fact.name);
  }

  marksOf(packageType: string): readonly string[] {
    return this.#types.get(packageType)?.marks ?? [];
  }

  shapeOf(packageType: string): StructShape {
    const known = this.#properties.get(packageType);
    if (known !== undefined) return known;
    const fact = this.#types.get(packageType);
    if (fact === undefined) throw new Error(`no built-in type ${packageType}`);
    const properties = new Map<string, Schema>();
    const required: string[] = [];
    const lines = fact.end > fact.start ? this.#facts.slice(fact.start, fact.end).split('\n') : [];
    for (const line of lines) {
      const [field = '', type = '', ...marks] = line.trim().split(' ');
      const name = field.endsWith('!') ? field.slice(0, -1) : field;
      if (name !== field) required.push(name);
      properties.set(name, this.#field(type, fact.packageName, readMarks(marks)));
    }
    const shape = { properties, required };
    this.#properties.set(packageType, shape);
    return shape;
  }

  #field(type: string, packageName: string, marks: FieldMarks): Schema {
    const { map, list, keys, values, ...rest } = marks;
    const listed = values === undefined ? {} : { values };
    if (type.startsWith('[]')) {
      return {
        type: 'array',
        items: this.#field(type.slice(2), packageName, { ...itemMarks(marks.goType), ...listed }),
        ...rest,
        ...(list === undefined ? {} : { listType: list }),
        ...(keys === undefined ? {} : { listMapKeys: keys }),
      };
    }
    const mapType = map === undefined ? {} : { mapType: map };
    if (type.startsWith('map[')) {
      const value = type.slice(4, -1);
      return {
        type: 'object',
        additionalProperties: this.#field(value === '' ? 'string' : value, packageName, listed),
        ...rest,
        ...mapType,
      };
    }
    const scalar = SCALARS[type];
    if (scalar !== undefined) return { ...scalar, ...rest, ...mapType, ...listed };
    const name = type.includes('.') ? type : `${packageName}.${type}`;
    const typeMarks = this.marksOf(name);
    if (typeMarks.includes('json')) return { type: 'any', name, preserveUnknownFields: true, ...rest };
    if (Object.keys(marks).length === 0) return this.get(name) ?? missing(name);
    return new StructSchema(this, name, typeMarks, { ...rest, ...mapType });
  }

  /** One pass over the text: remembers where each type's fields are. */
  #index(): void {
    const facts = this.#facts;
    let packageName = '';
    let open: { name: string; marks: string[]; start: number } | undefined;
    const close = (end: number): void => {
      if (open === undefined) return;
      const fact = { packageName, name: open.name, marks: open.marks, start: open.start, end };
      this.#types.set(`${packageName}.${open.name}`, fact);
      open = undefined;
    };
    for (let at = 0; at < facts.length; ) {
      let end = facts.indexOf('\n', at);
      if (end < 0) end = facts.length;
      if (facts.charCodeAt(at) !== SPACE) {
        close(Math.max(0, at - 1));
        const words = facts.slice(at, end).split(' ');
        if (words[0] === 'package') {
          packageName = words[1] ?? '';
          this.packages.push(readPackage(words));
        } else {
          open = { name: words[1] ?? '', marks: words.slice(2), start: end + 1 };
        }
      }
      at = end + 1;
    }
    close(facts.length);
  }
}

const SPACE = 0x20;

interface StructShape {
  readonly properties: ReadonlyMap<string, Schema>;
  readonly required: readonly string[];
}

/** A struct as one field has it; the fields of the struct are read when first needed, so types may contain themselves. */
class StructSchema implements Schema {
  readonly type = 'object';
  readonly name: string;
  readonly mapType?: 'granular' | 'atomic';
  readonly patchStrategy?: readonly ('merge' | 'replace' | 'retainKeys')[];
  readonly patchMergeKey?: string;
  readonly always?: boolean;
  readonly pointer?: boolean;
  readonly goType?: string;
  readonly fieldNumber?: readonly number[];
  readonly #schemas: BuiltinSchemas;
  #shape: StructShape | undefined;

  constructor(schemas: BuiltinSchemas, name: string, typeMarks: readonly string[], marks: Partial<Schema>) {
    this.#schemas = schemas;
    this.name = name;
    Object.assign(this, marks);
    // What the field says of itself goes before what its type says.
    if (typeMarks.includes('map=atomic')) this.mapType ??= 'atomic';
  }

  get properties(): ReadonlyMap<string, Schema> {
    this.#shape ??= this.#schemas.shapeOf(this.name);
    return this.#shape.properties;
  }

  get required(): readonly string[] {
    this.#shape ??= this.#schemas.shapeOf(this.name);
    return this.#shape.required;
  }
}

interface FieldMarks {
  always?: boolean;
  pointer?: boolean;
  goType?: string;
  fieldNumber?: readonly number[];
  list?: 'atomic' | 'set' | 'map';
  keys?: readonly string[];
  values?: readonly string[];
  map?: 'granular' | 'atomic';
  patchStrategy?: readonly ('merge' | 'replace' | 'retainKeys')[];
  patchMergeKey?: string;
}

function readMarks(words: readonly string[]): FieldMarks {
  const marks: FieldMarks = {};
  for (const word of words) {
    const equals = word.indexOf('=');
    const value = word.slice(equals + 1);
    switch (equals < 0 ? word : word.slice(0, equals)) {
      case 'always':
        marks.always = true;
        break;
      case 'ptr':
        marks.pointer = true;
        break;
      case 'go':
        marks.goType = value;
        break;
      case 'no':
        marks.fieldNumber = value.split('.').map(Number);
        break;
      case 'list':
        marks.list = value as 'atomic' | 'set' | 'map';
        break;
      case 'keys':
        marks.keys = value.split(',');
        break;
      case 'map':
        marks.map = value as 'granular' | 'atomic';
        break;
      case 'patch':
        marks.patchStrategy = value.split(',') as ('merge' | 'replace' | 'retainKeys')[];
        break;
      case 'enum':
        marks.values = value.split('|').map((one) => one.replaceAll('_', ' '));
        break;
      case 'merge':
        marks.patchMergeKey = value;
        break;
      default:
        throw new Error(`unknown mark ${word}`);
    }
  }
  return marks;
}

/** The Go name of a list's items, when the facts name the list as a list: `[]v1.Capability`. */
function itemMarks(goType: string | undefined): FieldMarks {
  return goType?.startsWith('[]') ? { goType: goType.slice(2) } : {};
}

function readPackage(words: readonly string[]): PackageFact {
  const [, name = '', openAPIPrefix = '', groupVersion] = words;
  if (groupVersion === undefined) return { name, openAPIPrefix };
  const [group = '', version = ''] = groupVersion.split('/');
  return { name, openAPIPrefix, group: group === 'core' ? '' : group, version };
}

function missing(name: string): never {
  throw new Error(`no built-in type ${name}`);
}

const SCALARS: Readonly<Record<string, { readonly type: SchemaType } & Partial<Schema>>> = {
  string: { type: 'string' },
  bool: { type: 'boolean' },
  int32: { type: 'integer', format: 'int32' },
  int64: { type: 'integer', format: 'int64' },
  double: { type: 'number', format: 'double' },
  bytes: { type: 'bytes' },
  duration: { type: 'string', format: 'go-duration' },
  time: { type: 'time' },
  microtime: { type: 'microTime' },
  quantity: { type: 'quantity' },
  intstr: { type: 'intOrString', format: 'int-or-string' },
  object: { type: 'object', preserveUnknownFields: true },
  fields: { type: 'object', preserveUnknownFields: true, format: 'fields' },
  raw: { type: 'object', preserveUnknownFields: true, format: 'raw' },
  json: { type: 'any', preserveUnknownFields: true, format: 'json' },
};
