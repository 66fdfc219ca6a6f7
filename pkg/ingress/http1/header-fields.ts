const NAME = /^[\w!#$%&'*+.^`|~-]+$/;
/** Neither controls nor what would end a line for some readers. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const SPACE = 0x20;
const TAB = 0x09;

/** Header fields in their order, with the lower-case name of each. */
export class HeaderFields {
  /** Name after value, as they came. */
  readonly raw: readonly string[];
  /** Lower case; `names[i]` belongs to `raw[2 * i]`. */
  readonly names: readonly string[];

  constructor(raw: readonly string[], names: readonly string[]) {
    this.raw = raw;
    this.names = names;
  }

  /** Fields that another version of HTTP has brought; undefined where HTTP/1 could not carry them. */
  static checked(raw: readonly string[]): HeaderFields | undefined {
    for (let i = 0; i < raw.length; i += 2) {
      const name = raw[i] ?? '';
      if (!NAME.test(name.replace(/^:/, '')) || !VALUE.test(raw[i + 1] ?? '')) return undefined;
    }
    return HeaderFields.of(raw);
  }

  static of(raw: readonly string[]): HeaderFields {
    const names: string[] = [];
    for (let i = 0; i < raw.length; i += 2) names.push((raw[i] ?? '').toLowerCase());
    return new HeaderFields(raw, names);
  }

  /** The value of a field by its lower-case name; several are one list (RFC 9110, 5.3), cookies by `; `. */
  get(name: string): string | undefined {
    let at = this.names.indexOf(name);
    if (at < 0) return undefined;
    let value = this.raw[2 * at + 1] ?? '';
    for (at = this.names.indexOf(name, at + 1); at >= 0; at = this.names.indexOf(name, at + 1))
      value += `${name === 'cookie' ? '; ' : ', '}${this.raw[2 * at + 1] ?? ''}`;
    return value;
  }
}

/**
 * Reads field lines (RFC 9112, 5) from `start` to the end of `text`, which is Latin-1 and lacks the last line's end.
 * undefined: some reader could take them for something else (a bare line feed, a space before the colon, a folded line,
 * a NUL), so nobody gets them.
 */
export function parseFields(text: string, start: number): HeaderFields | undefined {
  const raw: string[] = [];
  const names: string[] = [];
  let at = start;
  while (at < text.length) {
    const found = text.indexOf('\r\n', at);
    const end = found < 0 ? text.length : found;
    const colon = text.indexOf(':', at);
    if (colon < 0 || colon >= end) return undefined;
    const name = text.slice(at, colon);
    let from = colon + 1;
    let to = end;
    while (from < to && isBlank(text.charCodeAt(from))) from++;
    while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
    const value = text.slice(from, to);
    if (!NAME.test(name) || !VALUE.test(value)) return undefined;
    raw.push(name, value);
    names.push(name.toLowerCase());
    at = end + 2;
  }
  return new HeaderFields(raw, names);
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}
