/** An image of one program of this machine and the libraries that it is linked to; built without a network. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { buildImageArchive, type ImageFile } from '../../scripts/pause/oci-archive.ts';

export interface ProgramImage {
  /** Where its archive is written, as `NAME.tar`. */
  readonly directory: string;
  readonly name: string;
  /** Full names of the image; default: `docker.io/library/NAME:test`. */
  readonly images?: readonly string[];
  /** The path of the program on this machine. */
  readonly program: string;
  /** Its path in the image; it is the entry point. */
  readonly entrypoint: string;
  readonly cmd?: readonly string[];
  /** Files and directories besides; the directories that lead to them are added. */
  readonly files?: readonly ImageFile[];
}

export async function buildProgramImage(image: ProgramImage): Promise<void> {
  mkdirSync(image.directory, { recursive: true });
  const libraries = [
    ...execFileSync('ldd', [image.program], { encoding: 'utf8' }).matchAll(/(?:=> )?(\/\S+) \(0x/g),
  ].map((match) => match[1] ?? '');
  const files: ImageFile[] = [
    { path: image.entrypoint, content: readFileSync(image.program), mode: 0o755 },
    ...libraries.map((path) => ({ path, content: readFileSync(path), mode: 0o755 })),
    ...(image.files ?? []),
  ];
  const given = new Set(files.map((file) => file.path));
  const directories = new Set(['/dev', '/etc', '/proc', '/sys', '/var']);
  for (const file of files)
    for (let path = dirname(file.path); path !== '/'; path = dirname(path)) directories.add(path);
  const archive = await buildImageArchive({
    names: image.images ?? [`docker.io/library/${image.name}:test`],
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    files: [
      ...[...directories]
        .filter((path) => !given.has(path))
        .sort()
        .map((path) => ({ path, directory: true })),
      { path: '/tmp', directory: true, mode: 0o1777 },
      ...files,
    ],
    entrypoint: [image.entrypoint],
    ...(image.cmd === undefined ? {} : { cmd: image.cmd }),
  });
  writeFileSync(join(image.directory, `${image.name}.tar`), archive);
}
