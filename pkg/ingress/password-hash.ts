import { createHash, hash as digestOf, timingSafeEqual } from 'node:crypto';
import { compareSync } from 'bcryptjs';

/** Of bcrypt: more would keep everybody else waiting for each password that is tried. */
const MAX_COST = 8;
const BCRYPT = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;

/** Whether a hash is of a kind that can be checked. */
export function isSupportedHash(hash: string): boolean {
  return isCheapBcrypt(hash) || /^(?:\$(?:apr1|1)\$|\{(?:SHA|SSHA|PLAIN)\})/.test(hash);
}

function isCheapBcrypt(hash: string): boolean {
  return Number(BCRYPT.exec(hash)?.[1] ?? Number.POSITIVE_INFINITY) <= MAX_COST;
}

/**
 * Whether a hash, as `htpasswd` (apr1, bcrypt and {SHA}) and `openssl passwd -1` write them, is of this password. Blocks: bcrypt
 * with a cost of 5 takes some milliseconds, and each more doubles it.
 */
export function isPasswordOf(hash: string, password: string): boolean {
  if (isCheapBcrypt(hash)) return compareSync(password, hash);
  const md5 = /^\$(apr1|1)\$([^$]{0,8})\$(.+)$/.exec(hash);
  if (md5 !== null) return isSame(cryptMD5(password, `$${md5[1]}$`, md5[2] ?? ''), hash);
  if (hash.startsWith('{SHA}')) return isSame(createHash('sha1').update(password).digest('base64'), hash.slice(5));
  if (hash.startsWith('{PLAIN}')) return isSame(password, hash.slice(7));
  if (!hash.startsWith('{SSHA}')) return false;
  const bytes = Buffer.from(hash.slice(6), 'base64');
  const digest = createHash('sha1').update(password).update(bytes.subarray(20)).digest();
  return bytes.length > 20 && timingSafeEqual(digest, bytes.subarray(0, 20));
}

/** Takes the same time whatever is the same. */
function isSame(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** The order in which the digest's bytes are written, by threes. */
const ORDER = [
  [0, 6, 12],
  [1, 7, 13],
  [2, 8, 14],
  [3, 9, 15],
  [4, 10, 5],
] as const;
const ROUNDS = 1000;

/** The MD5 of crypt(3): FreeBSD's `$1$`, and Apache's `$apr1$`, which differs in this name only. */
function cryptMD5(password: string, magic: string, salt: string): string {
  const key = Buffer.from(password);
  const seasoning = Buffer.from(salt, 'latin1');
  const inner = md5(key, seasoning, key);
  const first: Buffer[] = [key, Buffer.from(magic), seasoning];
  for (let left = key.length; left > 0; left -= 16) first.push(inner.subarray(0, Math.min(16, left)));
  for (let bits = key.length; bits > 0; bits >>= 1) first.push((bits & 1) === 1 ? Buffer.alloc(1) : key.subarray(0, 1));
  let digest = md5(...first);
  for (let round = 0; round < ROUNDS; round++) {
    const parts = [round % 2 === 1 ? key : digest];
    if (round % 3 !== 0) parts.push(seasoning);
    if (round % 7 !== 0) parts.push(key);
    parts.push(round % 2 === 1 ? digest : key);
    digest = md5(...parts);
  }
  const byte = (index: number): number => digest[index] ?? 0;
  const groups = ORDER.map(([a, b, c]) => letters((byte(a) << 16) | (byte(b) << 8) | byte(c), 4));
  return `${magic}${salt}$${groups.join('')}${letters(byte(11), 2)}`;
}

function md5(...parts: readonly Buffer[]): Buffer {
  return digestOf('md5', Buffer.concat(parts), 'buffer');
}

/** Six bits a letter, the lowest first. */
function letters(value: number, count: number): string {
  let text = '';
  for (let rest = value, i = 0; i < count; i++, rest >>= 6) text += ALPHABET[rest & 63] ?? '';
  return text;
}
