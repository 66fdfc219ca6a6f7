/** An image that runs one script with the project's own Node; built from this machine's libraries, without a network. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { buildImageArchive } from '../../scripts/pause/oci-archive.ts';

/** Writes `NAME.tar` with the image `docker.io/library/NAME:test`, which runs `node /app/SCRIPT` of the scripts given. */
export async function buildNodeImage(directory: string, name: string, scripts: readonly string[]): Promise<void> {
  mkdirSync(directory, { recursive: true });
  const libraries = [
    ...execFileSync('ldd', [process.execPath], { encoding: 'utf8' }).matchAll(/(?:=> )?(\/\S+) \(0x/g),
  ].map((match) => match[1] ?? '');
  const directories = new Set(['/app', '/bin', '/dev', '/etc', '/proc', '/sys', '/var']);
  for (const library of libraries)
    for (let path = dirname(library); path !== '/'; path = dirname(path)) directories.add(path);
  const archive = await buildImageArchive({
    names: [`docker.io/library/${name}:test`],
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    files: [
      ...[...directories].sort().map((path) => ({ path, directory: true })),
      { path: '/tmp', directory: true, mode: 0o1777 },
      { path: '/bin/node', content: readFileSync(process.execPath), mode: 0o755 },
      ...libraries.map((path) => ({ path, content: readFileSync(path), mode: 0o755 })),
      ...scripts.map((script) => ({ path: `/app/${basename(script)}`, content: readFileSync(script) })),
    ],
    entrypoint: ['/bin/node'],
    cmd: [`/app/${basename(scripts[0] ?? '')}`],
  });
  writeFileSync(join(directory, `${name}.tar`), archive);
}
