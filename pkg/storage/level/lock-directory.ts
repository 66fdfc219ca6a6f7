import { mkdir } from 'node:fs/promises';
import { toStoreError } from './disk.ts';

/**
 * Takes a directory for this process, until the function that it resolves to is called, or the process ends. Throws StoreError
 * LOCKED when another process has it.
 */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const { Level } = await import('level');
  const lock = new Level(directory);
  try {
    await lock.open();
  } catch (error) {
    throw toStoreError(error, directory);
  }
  return () => lock.close();
}
