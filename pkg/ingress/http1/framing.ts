import type { HeaderFields } from './header-fields.ts';

/** How the end of a body is found: after so many bytes, by chunks, or where the connection ends. */
export type Framing = number | 'chunked' | 'until-close';

/**
 * What the fields of a message say of its body (RFC 9112, 6.3); undefined when they say nothing. 'ambiguous': two readers
 * could see two different ends, which is how requests are smuggled.
 */
export function framingOf({ names, raw }: HeaderFields): number | 'chunked' | 'ambiguous' | undefined {
  let framing: number | 'chunked' | undefined;
  for (let i = 0; i < names.length; i++) {
    const name = names[i];
    if (name !== 'content-length' && name !== 'transfer-encoding') continue;
    if (framing !== undefined) return 'ambiguous';
    const value = raw[2 * i + 1] ?? '';
    if (name === 'content-length') {
      if (!/^\d{1,15}$/.test(value)) return 'ambiguous';
      framing = Number(value);
    } else {
      if (value.toLowerCase() !== 'chunked') return 'ambiguous';
      framing = 'chunked';
    }
  }
  return framing;
}
