/** Debian's kubectl 1.20, unpacked beside the one that is installed. */
import { access, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../cluster.ts';

const PACKAGE = 'kubernetes-client';
const cache = join(import.meta.dirname, '../../../.cache');

/** Downloads the package once and gives the path of its kubectl. */
export async function oldKubectl(): Promise<string> {
  const tree = join(cache, PACKAGE);
  const executable = join(tree, 'usr/bin/kubectl');
  if (await exists(executable)) return executable;
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, `${PACKAGE}-`));
  try {
    await run('sh', ['-c', `cd ${work} && apt-get -q -o APT::Sandbox::User=root download ${PACKAGE}`]);
    const archive = (await readdir(work)).find((name) => name.endsWith('.deb'));
    await run('dpkg-deb', ['-x', join(work, archive ?? ''), join(work, 'tree')]);
    await rename(join(work, 'tree'), tree);
  } finally {
    await rm(work, { recursive: true });
  }
  return executable;
}

async function run(command: string, args: readonly string[]): Promise<void> {
  const result = await runCommand(command, args);
  if (result.code !== 0) throw new Error(`${command} ${args.join(' ')}: ${result.stderr}`);
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
