import { access } from 'node:fs/promises';
import { Encryption, type EncryptionDeps, ensureEncryptionConfiguration } from '../apiserver/encryption/index.ts';
import type { ServerConfig } from '../config/index.ts';
import type { Layout } from './layout.ts';

/**
 * Encryption at rest: as the named file has it, else as the cluster began. New clusters begin with encrypted Secrets; those that
 * began without stay so until a file is named. Throws ConfigError for a file that cannot be used.
 */
export async function openEncryption(
  config: Pick<ServerConfig, 'encryptionConfigFile'>,
  layout: Pick<Layout, 'encryptionFile'>,
  isNew: boolean,
  deps: EncryptionDeps,
): Promise<Encryption | undefined> {
  const named = config.encryptionConfigFile;
  if (named !== undefined) return Encryption.open(named, deps);
  if (isNew) await ensureEncryptionConfiguration(layout.encryptionFile);
  else if (!(await exists(layout.encryptionFile))) return undefined;
  return Encryption.open(layout.encryptionFile, deps);
}

export async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
