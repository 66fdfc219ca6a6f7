const SIMPLE: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
  '\\': 92,
  "'": 39,
  '"': 34,
  '`': 96,
  '?': 63,
};

/** A literal that cannot be read; the parser adds the position. */
export class LiteralError extends Error {
  override readonly name = 'LiteralError';
}

/** The value of a string literal with its quotes and prefix. Throws a LiteralError. */
export function readString(literal: string): string {
  const { body, raw } = unquote(literal);
  if (raw || !body.includes('\\')) return body;
  let text = '';
  let from = 0;
  for (;;) {
    const at = body.indexOf('\\', from);
    if (at < 0) return text + body.slice(from);
    const found = readEscape(body, at, false);
    text += body.slice(from, at) + String.fromCodePoint(found.code);
    from = found.end;
  }
}

/** The value of a bytes literal. Escapes stand for single bytes, everything else for its UTF-8 bytes. Throws a LiteralError. */
export function readBytes(literal: string): Uint8Array {
  const { body, raw } = unquote(literal);
  if (raw || !body.includes('\\')) return new Uint8Array(Buffer.from(body, 'utf8'));
  const parts: Uint8Array[] = [];
  let from = 0;
  for (;;) {
    const at = body.indexOf('\\', from);
    parts.push(Buffer.from(body.slice(from, at < 0 ? body.length : at), 'utf8'));
    if (at < 0) return new Uint8Array(Buffer.concat(parts));
    const found = readEscape(body, at, true);
    parts.push(Uint8Array.of(found.code));
    from = found.end;
  }
}

function unquote(literal: string): { body: string; raw: boolean } {
  const start = literal.search(/["']/);
  const prefix = literal.slice(0, start);
  const quoted = literal.slice(start);
  const width = quoted.length >= 6 && (quoted.startsWith('"""') || quoted.startsWith("'''")) ? 3 : 1;
  const body = quoted.slice(width, -width).replaceAll('\r\n', '\n').replaceAll('\r', '\n');
  return { body, raw: /r/i.test(prefix) };
}

function readEscape(body: string, at: number, bytes: boolean): { code: number; end: number } {
  const kind = body[at + 1] ?? '';
  const simple = SIMPLE[kind];
  if (simple !== undefined) return { code: simple, end: at + 2 };
  const digits = kind === 'x' || kind === 'X' ? 2 : kind === 'u' ? 4 : kind === 'U' ? 8 : 0;
  if (digits > 0) {
    if (bytes && digits > 2) throw new LiteralError('unable to unescape string');
    const hex = body.slice(at + 2, at + 2 + digits);
    if (!/^[0-9a-fA-F]+$/.test(hex) || hex.length !== digits) throw new LiteralError('unable to unescape string');
    return { code: checkCode(Number.parseInt(hex, 16)), end: at + 2 + digits };
  }
  const octal = body.slice(at + 1, at + 4);
  if (!/^[0-3][0-7]{2}$/.test(octal)) throw new LiteralError('unable to unescape string');
  return { code: Number.parseInt(octal, 8), end: at + 4 };
}

function checkCode(code: number): number {
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) throw new LiteralError('invalid unicode code point');
  return code;
}
