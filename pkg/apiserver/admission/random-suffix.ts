import { randomInt } from 'node:crypto';

/** Upstream's alphabet for generated names: no vowels and no characters that look alike. */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

/** Five random characters, as they end generated names. */
export function randomSuffix(): string {
  let suffix = '';
  for (let i = 0; i < 5; i++) suffix += ALPHABET[randomInt(ALPHABET.length)];
  return suffix;
}
