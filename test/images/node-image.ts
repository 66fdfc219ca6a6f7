/** An image that runs one script with the project's own Node. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { buildProgramImage } from './program-image.ts';

/** Writes `NAME.tar` with the image `docker.io/library/NAME:test`, which runs `node /app/SCRIPT` of the scripts given. */
export async function buildNodeImage(directory: string, name: string, scripts: readonly string[]): Promise<void> {
  await buildProgramImage({
    directory,
    name,
    program: process.execPath,
    entrypoint: '/bin/node',
    cmd: [`/app/${basename(scripts[0] ?? '')}`],
    files: scripts.map((script) => ({ path: `/app/${basename(script)}`, content: readFileSync(script) })),
  });
}
