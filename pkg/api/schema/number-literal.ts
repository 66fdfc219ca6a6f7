import { DecodeError } from './decode-error.ts';

/** The first number in JSON text that `matches`, as it is written there. */
export function numberLiteral(text: string, matches: (value: number) => boolean): string | undefined {
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|-?\d[\d.]*(?:[eE][-+]?\d+)?/g)) {
    if (!token.startsWith('"') && matches(Number(token))) return token;
  }
  return undefined;
}

/** The error with the number as the client wrote it: `number 1e30`, not `number 1e+30`. */
export function asWritten(error: DecodeError, text: string): DecodeError {
  const { number, code, message } = error;
  if (number === undefined) return error;
  const literal = numberLiteral(text, (value) => value === Number(number));
  if (literal === undefined || literal === String(number)) return error;
  return new DecodeError(
    code,
    message.replace(`number ${number} `, () => `number ${literal} `),
    { cause: error },
  );
}
