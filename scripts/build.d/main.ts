/** Builds dist/kube-lite: bundle -> single-executable blob -> stripped Node with the blob injected. */
import { chmodSync, copyFileSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readBuildInfo } from './build-info.ts';
import { bundle } from './bundle.ts';
import { buildDescriptions } from './descriptions.ts';
import { buildPayload } from './payload.ts';
import { run } from './run.ts';

const root = join(import.meta.dirname, '../..');
const dist = join(root, 'dist');
const work = join(dist, 'build');
const arch = process.arch === 'arm64' ? 'arm64' : 'x64';
const nodeBinary = join(root, `node_modules/node-linux-${arch}/bin/node`);
/** The marker that Node looks for; fixed by Node's single-executable support. */
const SEA_FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

mkdirSync(work, { recursive: true });
const started = Date.now();
const payload = await buildPayload(root, arch);
console.log(`payload: ${mebibytes(payload.path)} (${payload.cached ? 'cached' : 'packed'})`);

const main = join(work, 'main.cjs');
const info = readBuildInfo(root);
await bundle(root, 'main.ts', info, main);
const yamlThread = join(work, 'yaml-thread.cjs');
await bundle(root, 'yaml-thread.ts', info, yamlThread);
console.log(`bundle: ${mebibytes(main)}`);

const descriptions = join(work, 'descriptions.json.zst');
console.log(`descriptions: ${buildDescriptions(root, descriptions)} types`);

const manifest = join(work, 'payload.json');
writeFileSync(manifest, JSON.stringify({ digest: payload.digest }));
const seaConfig = join(work, 'sea.json');
const blob = join(work, 'kube-lite.blob');
writeFileSync(
  seaConfig,
  JSON.stringify({
    main,
    output: blob,
    disableExperimentalSEAWarning: true,
    useCodeCache: true,
    execArgvExtension: 'none',
    execArgv: ['--max-semi-space-size=16', '--disable-warning=ExperimentalWarning'],
    assets: {
      'payload.tar.zst': payload.path,
      'payload.json': manifest,
      'descriptions.json.zst': descriptions,
      'yaml-thread.cjs': yamlThread,
    },
  }),
);
run(nodeBinary, ['--experimental-sea-config', seaConfig]);

const stripped = join(root, '.cache', `node-${arch}-stripped`);
if (!upToDate(stripped, nodeBinary)) {
  copyFileSync(nodeBinary, `${stripped}.new`);
  run('strip', ['--strip-all', `${stripped}.new`]);
  renameSync(`${stripped}.new`, stripped);
}
const output = join(work, 'kube-lite');
copyFileSync(stripped, output);
run(nodeBinary, [
  join(root, 'node_modules/postject/dist/cli.js'),
  output,
  'NODE_SEA_BLOB',
  blob,
  '--sentinel-fuse',
  SEA_FUSE,
]);
chmodSync(output, 0o755);
renameSync(output, join(dist, 'kube-lite'));
rmSync(work, { recursive: true });
console.log(`dist/kube-lite: ${mebibytes(join(dist, 'kube-lite'))} in ${((Date.now() - started) / 1000).toFixed(1)} s`);

function mebibytes(path: string): string {
  return `${(statSync(path).size / 2 ** 20).toFixed(1)} MiB`;
}

function upToDate(path: string, source: string): boolean {
  const made = statSync(path, { throwIfNoEntry: false });
  return made !== undefined && made.mtimeMs >= statSync(source).mtimeMs;
}
