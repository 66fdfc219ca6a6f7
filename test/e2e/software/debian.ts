/** Debian packages for tests that are unpacked rather than installed: installing would start their services, or replace what is installed. */
import { access, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../cluster.ts';

export const cache = join(import.meta.dirname, '../../../.cache');

/** Downloads packages once and gives the directory in which they are unpacked together, named after the first. */
export async function unpacked(...packages: readonly [string, ...string[]]): Promise<string> {
  const tree = join(cache, packages[0]);
  if (await exists(tree)) return tree;
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(`${tree}-`);
  try {
    await run('sh', [
      '-c',
      `cd ${work} && apt-get -q -o APT::Sandbox::User=root -o Acquire::Retries=5 download ${packages.join(' ')}`,
    ]);
    for (const name of await readdir(work))
      if (name.endsWith('.deb')) await run('dpkg-deb', ['-x', join(work, name), join(work, 'tree')]);
    await rename(join(work, 'tree'), tree);
  } finally {
    await rm(work, { recursive: true });
  }
  return tree;
}

/** Runs a command, which must succeed, and gives what it printed. */
export async function run(
  command: string,
  args: readonly string[],
  options: { env?: Record<string, string>; timeoutMs?: number } = {},
): Promise<string> {
  const result = await runCommand(command, args, options);
  if (result.code !== 0)
    throw new Error(`${command} ${args.join(' ')}: ${result.code}\n${result.stdout}\n${result.stderr}`);
  return result.stdout;
}

export function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
