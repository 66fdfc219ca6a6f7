/**
 * The payload: what the executable unpacks at its first start. Debian's containerd, its shim, ctr, runc with libseccomp and the
 * CNI plugin for bandwidth limits, our own CNI plugin and what stands before runc, LevelDB's native addon and the pause image with its seccomp profile, as a
 * zstd-compressed tar.
 */
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { constants, zstdCompressSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { buildCNIPlugin } from '../cni/build.ts';
import { buildPauseImage } from '../pause/build.ts';
import { buildRuncFront } from '../runc/build.ts';
import { run } from './run.ts';

/** Debian package -> files taken from it and their place in the payload. */
const DEBIAN_FILES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  containerd: {
    'usr/bin/containerd': 'bin/containerd',
    'usr/bin/containerd-shim-runc-v2': 'bin/containerd-shim-runc-v2',
    'usr/bin/ctr': 'bin/ctr',
  },
  runc: { 'usr/sbin/runc': 'bin/runc' },
  'containernetworking-plugins': {
    'usr/lib/cni/bandwidth': 'cni/bandwidth',
  },
  libseccomp2: { 'usr/lib/*/libseccomp.so.2': 'lib/libseccomp.so.2' },
};

const COMPRESSION_LEVEL = 19;

export interface Payload {
  readonly path: string;
  /** SHA-256 of the uncompressed archive: the name of the directory it is unpacked to. */
  readonly digest: string;
  readonly cached: boolean;
}

export async function buildPayload(root: string, arch: string): Promise<Payload> {
  const cache = join(root, '.cache');
  mkdirSync(cache, { recursive: true });
  const files = new Map<string, Buffer>();
  for (const [name, wanted] of Object.entries(DEBIAN_FILES)) {
    const tree = unpackDebianPackage(cache, name);
    for (const [from, to] of Object.entries(wanted)) files.set(to, readFileSync(realpathSync(resolveGlob(tree, from))));
  }
  files.set('classic-level.node', readFileSync(nativeAddon(root, arch)));
  files.set('images/pause.tar', await buildPauseImage(join(cache, 'pause')));
  const plugin = join(cache, 'cni-plugin');
  buildCNIPlugin(plugin);
  // The runtime calls the one for loopback interfaces by itself.
  for (const name of ['kube-lite', 'loopback']) files.set(`cni/${name}`, readFileSync(plugin));
  const front = join(cache, 'runc-front');
  buildRuncFront(front);
  files.set('bin/kube-lite-runc', readFileSync(front));
  files.set('pause-seccomp.json', readFileSync(join(root, 'scripts/pause/seccomp.json')));

  const archive = await tarOf(files);
  const digest = createHash('sha256').update(archive).digest('hex');
  const path = join(cache, `payload-${arch}-${digest.slice(0, 16)}.tar.zst`);
  if (existsSync(path)) return { path, digest, cached: true };
  const compressed = zstdCompressSync(archive, {
    params: {
      [constants.ZSTD_c_compressionLevel]: COMPRESSION_LEVEL,
      [constants.ZSTD_c_enableLongDistanceMatching]: 1,
      [constants.ZSTD_c_windowLog]: 25,
    },
  });
  for (const old of readdirSync(cache)) if (old.startsWith(`payload-${arch}-`)) rmSync(join(cache, old));
  writeFileSync(`${path}.new`, compressed);
  renameSync(`${path}.new`, path);
  return { path, digest, cached: false };
}

/** Downloads a package once per version and unpacks it without installing it. */
function unpackDebianPackage(cache: string, name: string): string {
  const version = /Version: (\S+)/.exec(run('apt-cache', ['show', '--no-all-versions', name]))?.[1];
  if (version === undefined) throw new Error(`no Debian package ${name}: run apt-get update, or build on Debian 12`);
  const tree = join(cache, `${name}-${version.replaceAll(/[^\w.+~-]/g, '_')}`);
  if (existsSync(tree)) return tree;
  const work = `${tree}.new`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  run('apt-get', ['-o', 'APT::Sandbox::User=root', '-o', 'Acquire::Retries=5', 'download', name], work);
  const archive = readdirSync(work).find((file) => file.endsWith('.deb'));
  if (archive === undefined) throw new Error(`apt-get download ${name} gave no package`);
  run('dpkg-deb', ['-x', join(work, archive), work]);
  rmSync(join(work, archive));
  renameSync(work, tree);
  return tree;
}

/** Resolves one `*` directory in a path below `tree`. */
function resolveGlob(tree: string, path: string): string {
  const star = path.indexOf('/*/');
  if (star < 0) return join(tree, path);
  const parent = join(tree, path.slice(0, star));
  const rest = path.slice(star + 3);
  const found = readdirSync(parent)
    .map((entry) => join(parent, entry, rest))
    .find((candidate) => existsSync(candidate));
  if (found === undefined) throw new Error(`no ${path} in ${tree}`);
  return found;
}

function nativeAddon(root: string, arch: string): string {
  const dir = join(root, `node_modules/classic-level/prebuilds/linux-${arch}`);
  const file = readdirSync(dir).find((name) => name.endsWith('.node') && !name.includes('musl'));
  if (file === undefined) throw new Error(`classic-level has no addon for linux-${arch}`);
  return join(dir, file);
}

/** A reproducible tar: sorted names, fixed owner, time and modes. */
async function tarOf(files: ReadonlyMap<string, Buffer>): Promise<Buffer> {
  const archive = pack();
  for (const [name, content] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const mode = name.startsWith('images/') || name.endsWith('.json') ? 0o644 : 0o755;
    archive.entry({ name, mode, mtime: new Date(0), uid: 0, gid: 0 }, content);
  }
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
