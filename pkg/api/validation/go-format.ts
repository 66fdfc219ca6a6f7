const escapes: Readonly<Record<string, string>> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '"': '\\"',
  '\\': '\\\\',
};
const needsEscape = /["\\]|\P{L}/u;
const unprintable = /[\p{Cc}\p{Cf}\p{Cn}\p{Co}\p{Cs}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u;

/** The text in double quotes as Go's %q writes it: control and invisible characters escaped, the rest as it is. */
export function goQuote(text: string): string {
  if (!needsEscape.test(text)) return `"${text}"`;
  let out = '"';
  for (const character of text) {
    const escaped = escapes[character];
    if (escaped !== undefined) out += escaped;
    else if (unprintable.test(character)) out += escapeCodePoint(character.codePointAt(0) ?? 0);
    else out += character;
  }
  return `${out}"`;
}

function escapeCodePoint(code: number): string {
  const hex = code.toString(16);
  if (code < 0x80) return `\\x${hex.padStart(2, '0')}`;
  if (code < 0x10000) return `\\u${hex.padStart(4, '0')}`;
  return `\\U${hex.padStart(8, '0')}`;
}

const markup = /[<>&\u2028\u2029]/g;

/** JSON as Go's encoding/json writes it: `<`, `>` and `&` escaped, `null` for what is absent. */
export function goJSON(value: unknown): string {
  return goEscaped(JSON.stringify(value) ?? 'null');
}

/** JSON text with the characters escaped that Go's encoding/json escapes for HTML's sake. */
export function goEscaped(text: string): string {
  return text.replace(markup, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** How field errors show a rejected value: strings quoted, numbers and booleans plain, everything else as JSON. */
export function goValue(value: unknown): string {
  if (typeof value === 'string') return goQuote(value);
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  return goJSON(value);
}
