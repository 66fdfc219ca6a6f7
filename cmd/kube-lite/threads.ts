import { join } from 'node:path';
import { getAsset, isSea } from 'node:sea';
import { Worker } from 'node:worker_threads';

/** Ten times what the largest body needs that is no attack. */
const YAML_LIMITS = { maxOldGenerationSizeMb: 1024, maxYoungGenerationSizeMb: 32 };

/** The thread that reads long YAML; when running from source, from its own file. */
export function yamlThread(): Worker {
  const options = { resourceLimits: YAML_LIMITS };
  if (isSea()) return new Worker(getAsset('yaml-thread.cjs', 'utf8'), { ...options, eval: true });
  return new Worker(join(import.meta.dirname, 'yaml-thread.ts'), options);
}
