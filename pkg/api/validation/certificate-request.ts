import type { Buffer } from 'node:buffer';
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { pemBlocks } from './pem.ts';

/** Digests of the signature algorithms (object identifiers in hexadecimal); undefined: the algorithm has its own. */
const digests: ReadonlyMap<string, string | undefined> = new Map([
  ['2a864886f70d010105', 'sha1'],
  ['2a864886f70d01010b', 'sha256'],
  ['2a864886f70d01010c', 'sha384'],
  ['2a864886f70d01010d', 'sha512'],
  ['2a8648ce3d0401', 'sha1'],
  ['2a8648ce3d040302', 'sha256'],
  ['2a8648ce3d040303', 'sha384'],
  ['2a8648ce3d040304', 'sha512'],
  ['2b6570', undefined],
]);

/** What is wrong with a certificate signing request (RFC 2986) in PEM, its signature included; undefined: nothing. */
export function certificateRequestError(pem: string): string | undefined {
  const [block] = pemBlocks(pem);
  if (block?.type !== 'CERTIFICATE REQUEST') return 'PEM block type must be CERTIFICATE REQUEST';
  const parsed = parseRequest(block.der);
  if (parsed === undefined) return 'asn1: syntax error: data truncated';
  const { signed, key, algorithm, signature } = parsed;
  if (!digests.has(algorithm)) return 'x509: cannot verify signature: algorithm unimplemented';
  return verify(digests.get(algorithm), signed, key, signature) ? undefined : 'x509: signature verification error';
}

interface Request {
  /** What the signature is about. */
  readonly signed: Buffer;
  readonly key: KeyObject;
  readonly algorithm: string;
  readonly signature: Buffer;
}

function parseRequest(der: Buffer): Request | undefined {
  const [outer, ...rest] = elements(der) ?? [];
  const [info, algorithm, bits, ...more] = elements(outer?.content) ?? [];
  if (rest.length > 0 || more.length > 0 || info === undefined || bits === undefined) return undefined;
  const [oid] = elements(algorithm?.content) ?? [];
  const [, , publicKey] = elements(info.content) ?? [];
  if (oid === undefined || publicKey === undefined) return undefined;
  try {
    const key = createPublicKey({ key: publicKey.whole, format: 'der', type: 'spki' });
    // A bit string begins with how many bits of its last byte do not count.
    return { signed: info.whole, key, algorithm: oid.content.toString('hex'), signature: bits.content.subarray(1) };
  } catch {
    return undefined;
  }
}

interface Element {
  readonly whole: Buffer;
  readonly content: Buffer;
}

/** The elements of a DER sequence's content; undefined when it is cut off. */
function elements(der: Buffer | undefined): Element[] | undefined {
  const list: Element[] = [];
  for (let at = 0; at < (der?.length ?? 0); ) {
    if (der === undefined) break;
    const start = at;
    let length = der[at + 1];
    if (length === undefined) return undefined;
    at += 2;
    if (length >= 0x80) {
      const bytes = length - 0x80;
      if (bytes === 0 || bytes > 4 || at + bytes > der.length) return undefined;
      length = der.readUIntBE(at, bytes);
      at += bytes;
    }
    if (at + length > der.length) return undefined;
    list.push({ whole: der.subarray(start, at + length), content: der.subarray(at, at + length) });
    at += length;
  }
  return list;
}
