/** Words of RFC 5322 with points between them; letters of other languages are letters. */
const DOT_ATOM =
  /[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\u0080-\u{10FFFF}]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\u0080-\u{10FFFF}]+)*/uy;
const QUOTED = /"(?:[\t\x20\x21\x23-\x5b\x5d-\x7e\u0080-\u{10FFFF}]|\\[\t\x20-\x7e\u0080-\u{10FFFF}])*"/uy;
const LITERAL = /\[[^\s[\]\\]+\]/uy;
const SPACE = /[ \t]*/uy;

/** An address, or a name and an address in angle brackets, as Go's net/mail reads one; comments are not read. */
export function isEmail(value: string): boolean {
  const start = afterSpace(value, 0);
  const end = afterAddress(value, start) ?? afterNamed(value, start);
  return end !== undefined && afterSpace(value, end) === value.length;
}

/** Where what `token` takes from `at` on ends. */
function after(token: RegExp, value: string, at: number): number | undefined {
  token.lastIndex = at;
  return token.test(value) ? token.lastIndex : undefined;
}

function afterWord(value: string, at: number): number | undefined {
  return after(DOT_ATOM, value, at) ?? after(QUOTED, value, at);
}

function afterAddress(value: string, at: number): number | undefined {
  const local = afterWord(value, at);
  if (local === undefined || value[local] !== '@') return undefined;
  return after(DOT_ATOM, value, local + 1) ?? after(LITERAL, value, local + 1);
}

function afterNamed(value: string, at: number): number | undefined {
  let end = at;
  while (value[end] !== '<') {
    const word = afterWord(value, end);
    if (word === undefined) return undefined;
    end = afterSpace(value, word);
  }
  const address = afterAddress(value, afterSpace(value, end + 1));
  if (address === undefined) return undefined;
  const close = afterSpace(value, address);
  return value[close] === '>' ? close + 1 : undefined;
}

function afterSpace(value: string, at: number): number {
  return after(SPACE, value, at) ?? at;
}
