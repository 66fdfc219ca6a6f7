import { render, type Value } from './value.ts';

/** One request of the fuzzer, ready to be sent. */
export interface FuzzRequest {
  /** Which generator made it. */
  readonly area: string;
  readonly method: string;
  /** As it goes on the wire: printable ASCII. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: Buffer | undefined;
}

export function jsonRequest(
  area: string,
  method: string,
  path: string,
  body: Value,
  type = 'application/json',
): FuzzRequest {
  return { area, method, path, headers: { 'Content-Type': type }, body: Buffer.from(render(body)) };
}

/** Percent-encodes what cannot stand in a request line; everything else stays as it is. */
export function wirePath(path: string): string {
  let out = '';
  for (const byte of Buffer.from(path)) {
    if (byte > 0x20 && byte < 0x7f && byte !== 0x23) out += String.fromCharCode(byte);
    else out += `%${byte.toString(16).padStart(2, '0')}`;
  }
  return out.startsWith('/') ? out : `/${out}`;
}
