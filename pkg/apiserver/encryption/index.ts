/**
 * Encryption at rest: an EncryptionConfiguration file and what it makes of stored values. It works between the API server and
 * the store: everything above sees plain values. Corresponds to upstream's apiserver/pkg/server/options/encryptionconfig and
 * storage/value/encrypt.
 */
export { Encryption, type EncryptionDeps } from './encryption.ts';
export { ensureEncryptionConfiguration } from './new-cluster.ts';
