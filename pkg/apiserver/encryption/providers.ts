import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** One key of a provider: what it makes of a value, and back. `context` is the storage key, which some bind the value to. */
export interface Cipher {
  seal(plain: Uint8Array, context: string): Uint8Array;
  /** Throws for what was not sealed with this key. */
  open(sealed: Uint8Array, context: string): Uint8Array;
}

export const PROVIDERS = ['aescbc', 'aesgcm', 'secretbox', 'identity'] as const;
export type Provider = (typeof PROVIDERS)[number];

/** Lengths of keys in bytes. */
export const KEY_BYTES: Readonly<Record<Exclude<Provider, 'identity'>, readonly number[]>> = {
  aescbc: [16, 24, 32],
  aesgcm: [16, 24, 32],
  secretbox: [32],
};

const BLOCK_BYTES = 16;
const GCM_NONCE_BYTES = 12;
const TAG_BYTES = 16;
const BOX_NONCE_BYTES = 24;

/** The cipher of a key, in the layouts that upstream stores. */
export async function newCipher(provider: Exclude<Provider, 'identity'>, key: Buffer): Promise<Cipher> {
  switch (provider) {
    case 'aescbc':
      return aesCBC(key);
    case 'aesgcm':
      return aesGCM(key);
    case 'secretbox':
      return secretbox(key);
  }
}

/** Initialization vector, then the padded ciphertext. Not authenticated. */
function aesCBC(key: Buffer): Cipher {
  const algorithm = `aes-${key.length * 8}-cbc`;
  return {
    seal(plain) {
      const iv = randomBytes(BLOCK_BYTES);
      const cipher = createCipheriv(algorithm, key, iv);
      return Buffer.concat([iv, cipher.update(plain), cipher.final()]);
    },
    open(sealed) {
      const decipher = createDecipheriv(algorithm, key, sealed.subarray(0, BLOCK_BYTES));
      return Buffer.concat([decipher.update(sealed.subarray(BLOCK_BYTES)), decipher.final()]);
    },
  };
}

/** Nonce, ciphertext, tag; bound to the storage key. */
function aesGCM(key: Buffer): Cipher {
  const algorithm = `aes-${key.length * 8}-gcm` as 'aes-256-gcm';
  return {
    seal(plain, context) {
      const nonce = randomBytes(GCM_NONCE_BYTES);
      const cipher = createCipheriv(algorithm, key, nonce).setAAD(Buffer.from(context));
      return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    },
    open(sealed, context) {
      const nonce = sealed.subarray(0, GCM_NONCE_BYTES);
      const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength: TAG_BYTES });
      decipher.setAAD(Buffer.from(context)).setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
      return Buffer.concat([
        decipher.update(sealed.subarray(GCM_NONCE_BYTES, sealed.length - TAG_BYTES)),
        decipher.final(),
      ]);
    },
  };
}

/** NaCl's secretbox (XSalsa20 and Poly1305): nonce, then the box. */
async function secretbox(key: Buffer): Promise<Cipher> {
  const { xsalsa20poly1305 } = await import('@noble/ciphers/salsa.js');
  return {
    seal(plain) {
      const nonce = randomBytes(BOX_NONCE_BYTES);
      return Buffer.concat([nonce, xsalsa20poly1305(key, nonce).encrypt(plain)]);
    },
    open(sealed) {
      const nonce = sealed.subarray(0, BOX_NONCE_BYTES);
      return xsalsa20poly1305(key, nonce).decrypt(sealed.subarray(BOX_NONCE_BYTES));
    },
  };
}
