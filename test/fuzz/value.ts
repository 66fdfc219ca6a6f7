/** JSON as text can have it: members in any order and number, numbers of any size. Plain objects can hold neither. */
export type Value = null | boolean | number | string | Value[] | Members | Raw;

/** An object: its members may repeat a name, and `__proto__` is a name like any other. */
export class Members {
  readonly entries: [string, Value][];

  constructor(entries: [string, Value][] = []) {
    this.entries = entries;
  }

  get(name: string): Value | undefined {
    return this.entries.find(([key]) => key === name)?.[1];
  }

  set(name: string, value: Value): this {
    const entry = this.entries.find(([key]) => key === name);
    if (entry === undefined) this.entries.push([name, value]);
    else entry[1] = value;
    return this;
  }

  delete(name: string): void {
    const index = this.entries.findIndex(([key]) => key === name);
    if (index >= 0) this.entries.splice(index, 1);
  }
}

/** Text that stands in the document as it is. */
export class Raw {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** A copy of plain JSON that can be changed. */
export function fromJSON(json: unknown): Value {
  if (Array.isArray(json)) return json.map(fromJSON);
  if (typeof json === 'object' && json !== null) {
    return new Members(Object.entries(json).map(([name, value]) => [name, fromJSON(value)]));
  }
  return json as Value;
}

export function members(fields: Readonly<Record<string, unknown>>): Members {
  return fromJSON(fields) as Members;
}

export function render(value: Value): string {
  if (value instanceof Raw) return value.text;
  if (Array.isArray(value)) return `[${value.map(render).join(',')}]`;
  if (value instanceof Members) {
    return `{${value.entries.map(([name, item]) => `${JSON.stringify(name)}:${render(item)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}
