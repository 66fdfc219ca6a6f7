import { canonicalJSON } from '../base/json.ts';

/** Letters and digits that cannot form words (rand.SafeEncodeString). */
const SAFE = 'bcdfghjklmnpqrstvwxz2456789';

/** A short name for a JSON value: FNV-32a of its canonical form and `salt`, in safe characters. */
export function jsonHash(value: unknown, salt: number | undefined): string {
  const text = canonicalJSON(value) + (salt === undefined ? '' : `#${salt}`);
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return safeEncode(String(hash >>> 0));
}

export function safeEncode(text: string): string {
  return [...text].map((char) => SAFE[(char.codePointAt(0) ?? 0) % SAFE.length]).join('');
}
