const RESERVED = new Set(
  (
    'true false null in as break const continue else for function if import let loop package namespace return var void ' +
    'while'
  ).split(' '),
);

const ESCAPES: Readonly<Record<string, string>> = {
  __: '__underscores__',
  '.': '__dot__',
  '-': '__dash__',
  '/': '__slash__',
};
const UNESCAPES: ReadonlyMap<string, string> = new Map([
  ['underscores', '__'],
  ['dot', '.'],
  ['dash', '-'],
  ['slash', '/'],
]);

/** The name under which expressions reach a field; undefined when they cannot. */
export function escapeName(name: string): string | undefined {
  if (!/^[a-zA-Z_./-][a-zA-Z0-9_./-]*$/.test(name)) return undefined;
  if (RESERVED.has(name)) return `__${name}__`;
  return name.replace(/__|[./-]/g, (part) => ESCAPES[part] ?? part);
}

/** The field that an escaped name stands for; undefined when it stands for none. */
export function unescapeName(escaped: string): string | undefined {
  const reserved = /^__([a-z]+)__$/.exec(escaped)?.[1];
  if (reserved !== undefined && RESERVED.has(reserved)) return reserved;
  let valid = true;
  const name = escaped.replace(/__([^_]+)__/g, (_, part: string) => {
    const plain = UNESCAPES.get(part);
    valid &&= plain !== undefined;
    return plain ?? '';
  });
  return valid ? name : undefined;
}
