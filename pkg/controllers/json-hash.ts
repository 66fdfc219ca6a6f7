/** Letters and digits that cannot form words (rand.SafeEncodeString). */
const SAFE = 'bcdfghjklmnpqrstvwxz2456789';

/** A short name for a JSON value: FNV-32a of its canonical form and `salt`, in safe characters. */
export function jsonHash(value: unknown, salt: number | undefined): string {
  const text = canonical(value) + (salt === undefined ? '' : `#${salt}`);
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return safeEncode(String(hash >>> 0));
}

export function safeEncode(text: string): string {
  return [...text].map((char) => SAFE[(char.codePointAt(0) ?? 0) % SAFE.length]).join('');
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`);
  return `{${members.join(',')}}`;
}
