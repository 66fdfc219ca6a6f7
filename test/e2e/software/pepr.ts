/**
 * Pepr as its authors ship it: the npm package with its lock file, the example module that `pepr init` writes, the
 * manifests that `pepr build` makes of it, and an image of the same package under the name that the manifests use.
 */
import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import type { ImageFile } from '../../../scripts/pause/oci-archive.ts';
import { buildProgramImage } from '../../images/program-image.ts';
import { cache, exists, run } from './debian.ts';

const project = join(import.meta.dirname, 'pepr');
/** What the package needs to run as a controller: the dependencies of these, without those of its command. */
const RUNTIME_ROOTS = ['pepr', 'undici'];
const OF_THE_COMMAND = [
  '@typescript-eslint/eslint-plugin',
  '@typescript-eslint/parser',
  'eslint',
  'quicktype-core',
  'ts-morph',
];
const CODE = ['.js', '.cjs', '.mjs', '.json'];

export interface Pepr {
  /** The file with all objects that install the module. */
  readonly manifest: string;
  /** The file with objects for the module to act on. */
  readonly samples: string;
  /** Writes the archive of the controller's image. */
  buildImage(directory: string): Promise<void>;
}

/** Installs Pepr and builds its example once; a changed lock file makes it anew. */
export async function preparePepr(): Promise<Pepr> {
  const lock = await readFile(join(project, 'package-lock.json'));
  const home = join(cache, `pepr-${createHash('sha256').update(lock).digest('hex').slice(0, 12)}`);
  if (!(await exists(home))) {
    await mkdir(cache, { recursive: true });
    const work = await mkdtemp(`${home}-`);
    try {
      await install(work);
      await rename(work, home);
    } catch (error) {
      await rm(work, { recursive: true, force: true });
      throw error;
    }
  }
  const module = join(home, 'example');
  const manifest = join(module, 'dist/pepr-module-example.yaml');
  return {
    manifest,
    samples: join(module, 'capabilities/hello-pepr.samples.yaml'),
    buildImage: async (directory) => {
      const image = (await readFile(manifest, 'utf8')).match(/image: (\S+)/)?.[1];
      if (image === undefined) throw new Error(`${manifest} names no image`);
      await buildProgramImage({
        directory,
        name: 'pepr',
        images: [image],
        program: process.execPath,
        entrypoint: '/bin/node',
        files: [
          // The controller unpacks its module there, as a user without rights.
          { path: '/app', directory: true, mode: 0o1777 },
          ...(await runtimeFiles(home)),
          { path: '/etc/passwd', content: 'node:x:65532:65532:node:/tmp:/bin/false\n' },
        ],
      });
    },
  };
}

async function install(home: string): Promise<void> {
  for (const name of ['package.json', 'package-lock.json']) await cp(join(project, name), join(home, name));
  const env = { PATH: `${dirname(process.execPath)}:${process.env['PATH']}` };
  const inHome = (directory: string, command: string): Promise<string> =>
    run('sh', ['-c', `cd ${directory} && ${command}`], { env, timeoutMs: 300_000 });
  await inHome(home, 'npm ci --no-audit --no-fund --ignore-scripts');
  const command = join(home, 'node_modules/.bin/pepr');
  await inHome(
    home,
    `${command} init --name example --description example --error-behavior reject --uuid example -s -y`,
  );
  await symlink('../node_modules', join(home, 'example/node_modules'));
  await inHome(join(home, 'example'), `${command} build`);
}

/** The installed packages that the controller loads, under /app as its image has them. */
async function runtimeFiles(home: string): Promise<ImageFile[]> {
  const packages = new Set<string>();
  const add = async (directory: string): Promise<void> => {
    if (packages.has(directory)) return;
    packages.add(directory);
    const { dependencies = {} } = JSON.parse(await readFile(join(home, directory, 'package.json'), 'utf8'));
    for (const name of Object.keys(dependencies))
      if (!OF_THE_COMMAND.includes(name)) await add(await resolved(home, directory, name));
  };
  for (const name of RUNTIME_ROOTS) await add(join('node_modules', name));
  const files: ImageFile[] = [];
  for (const directory of packages)
    for (const path of await codeOf(home, directory))
      files.push({ path: join('/app', path), content: await readFile(join(home, path)) });
  return files;
}

/** The package that a name means to the package in `directory`, by Node's rule. */
async function resolved(home: string, directory: string, name: string): Promise<string> {
  for (let from = directory; ; from = dirname(from)) {
    const path = join(from, 'node_modules', name);
    if (await exists(join(home, path, 'package.json'))) return path;
    if (from === '.') throw new Error(`${directory} needs ${name}, which is not installed`);
  }
}

/** The code of one package, without that of packages inside it. */
async function codeOf(home: string, directory: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(join(home, directory), { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory() && entry.name !== 'node_modules') found.push(...(await codeOf(home, path)));
    else if (entry.isFile() && CODE.includes(extname(entry.name))) found.push(path);
  }
  return found;
}
