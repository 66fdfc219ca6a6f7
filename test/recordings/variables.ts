export type Variables = Record<string, string | number>;

type JSONObject = Record<string, unknown>;

/** Puts variables into every text of a value: `${name}`, `${name:int}` as a number, `${rep:x:9}` as nine x. */
export function substitute<T>(value: T, variables: Variables): T {
  return replace(value, variables) as T;
}

function replace(value: unknown, variables: Variables): unknown {
  if (typeof value === 'string') {
    const number = /^\$\{(\w+):int\}$/.exec(value)?.[1];
    if (number !== undefined && number in variables) return Number(variables[number]);
    return value
      .replace(/\$\{rep:(.):(\d+)\}/g, (_, char: string, count: string) => char.repeat(Number(count)))
      .replace(/\$\{(\w+)\}/g, (whole, name: string) => (name in variables ? String(variables[name]) : whole));
  }
  if (Array.isArray(value)) return value.map((item) => replace(item, variables));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [replace(key, variables), replace(member, variables)]),
  );
}

/** How a variable is written. */
export function placeholder(name: string): string {
  return `\${${name}}`;
}

/** The value at a path like `spec.ports[0].port` or `metadata.labels["a/b"]`. */
export function valueAt(object: unknown, path: string): unknown {
  let value = object;
  for (const piece of path.match(/\[[^\]]*\]|[^.[\]]+/g) ?? []) {
    if (value === undefined || value === null) return undefined;
    const key = piece.startsWith('[') ? piece.slice(1, -1).replace(/^["']|["']$/g, '') : piece;
    value = (value as JSONObject)[key];
  }
  return value;
}

export function isObject(value: unknown): value is JSONObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The JSON of a text; undefined when it is none. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
