import { ConfigError } from '../config/index.ts';
import { isStoreError } from '../storage/index.ts';

/** What a user is told when `error` says that another process has the data directory; undefined for other errors. */
export function dataDirInUse(error: unknown, dataDir: string): ConfigError | undefined {
  if (!isStoreError(error, 'LOCKED')) return undefined;
  return new ConfigError(
    `the data directory ${dataDir} is used by another running kube-lite; stop it, or choose another --data-dir`,
    { cause: error },
  );
}
