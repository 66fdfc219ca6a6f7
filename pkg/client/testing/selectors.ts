/** Label and field selectors as strings, for the fake cluster: `a=b,c!=d,e in (x,y),f notin (z),g,!h`. */
export type Match = (values: Readonly<Record<string, string>>) => boolean;

export function parseSelector(text: string): Match {
  const parts = text.match(/[^,(]+(?:\([^)]*\))?/g) ?? [];
  const matches = parts.map((part) => parseRequirement(part.trim()));
  return (values) => matches.every((match) => match(values));
}

function parseRequirement(text: string): Match {
  const set = /^(\S+)\s+(in|notin)\s+\(([^)]*)\)$/.exec(text);
  if (set !== null) {
    const [, key = '', operator, list = ''] = set;
    const wanted = list.split(',').map((value) => value.trim());
    return (values) => (Object.hasOwn(values, key) && wanted.includes(values[key] ?? '')) === (operator === 'in');
  }
  const equality = /^([^=!]+)(!=|==|=)(.*)$/.exec(text);
  if (equality !== null) {
    const [, key = '', operator, value] = equality;
    return (values) => ((values[key] ?? '') === value) === (operator !== '!=');
  }
  if (text.startsWith('!')) return (values) => !Object.hasOwn(values, text.slice(1));
  return (values) => text === '' || Object.hasOwn(values, text);
}

/** The value at a dotted path as a string; '' when there is none. */
export function fieldValue(object: unknown, path: string): string {
  let current = object;
  for (const step of path.split('.')) {
    if (typeof current !== 'object' || current === null) return '';
    current = (current as Record<string, unknown>)[step];
  }
  return current === undefined || current === null ? '' : String(current);
}

/** A field selector: only `path=value` and `path!=value`. */
export function parseFieldSelector(text: string): (object: unknown) => boolean {
  const tests = text
    .split(',')
    .filter((part) => part !== '')
    .map((part) => {
      const [, path = '', operator, value] = /^([^=!]+)(!=|==|=)(.*)$/.exec(part) ?? [];
      return (object: unknown) => (fieldValue(object, path) === value) === (operator !== '!=');
    });
  return (object) => tests.every((test) => test(object));
}
