import { randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoCode } from '../../base/errors.ts';

const KEY_BYTES = 32;

/**
 * The configuration of a new cluster: Secrets by secretbox with a key of its own. The file is durable, and readable by root
 * only, before this resolves. A file that is there stays.
 */
export async function ensureEncryptionConfiguration(file: string): Promise<void> {
  const text = `# The key of this cluster's Secrets: without it they cannot be read. Keep a copy where the data is not.
apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
- resources: [secrets]
  providers:
  - secretbox:
      keys:
      - name: key1
        secret: ${randomBytes(KEY_BYTES).toString('base64')}
  - identity: {}
`;
  try {
    const handle = await open(file, 'wx', 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (errnoCode(error) === 'EEXIST') return;
    throw error;
  }
  const directory = await open(dirname(file));
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
