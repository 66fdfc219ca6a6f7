import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import type { BuildInfo } from '../../pkg/api/version.ts';

/** Bundles an entry point of cmd/kube-lite into one CommonJS file, as Node's single-executable support wants it. */
export async function bundle(root: string, entry: string, info: BuildInfo, outfile: string): Promise<void> {
  const version = (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version;
  await build({
    entryPoints: [join(root, 'cmd/kube-lite', entry)],
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    outfile,
    // Names stay: errors and stacks carry them, and esbuild's keepNames costs a call for every closure at run time.
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    logLevel: 'warning',
    loader: { '.yaml': 'text', '.txt': 'text' },
    define: {
      'process.env.KUBE_LITE_VERSION': JSON.stringify(version),
      KUBE_LITE_BUILD: JSON.stringify(info),
      'import.meta.dirname': '""',
    },
    plugins: [nativeAddonPlugin, manifestsPlugin(root)],
  });
}

/** LevelDB's addon is part of the payload; where it was unpacked is known only at run time. */
const nativeAddonPlugin: Plugin = {
  name: 'native-addon',
  setup(context) {
    context.onResolve({ filter: /^node-gyp-build$/ }, () => ({ path: 'node-gyp-build', namespace: 'native-addon' }));
    context.onLoad({ filter: /.*/, namespace: 'native-addon' }, () => ({
      contents: `module.exports = () => {
        const path = globalThis.__kubeLiteAddonPath;
        if (path === undefined) throw new Error('the storage addon is used before the payload is unpacked');
        const addon = { exports: {} };
        process.dlopen(addon, path);
        return addon.exports;
      };`,
      loader: 'js',
    }));
  },
};

/** `embedded:manifests` is a module: file name -> text of each file in embedded-manifests. */
function manifestsPlugin(root: string): Plugin {
  return {
    name: 'embedded-manifests',
    setup(context) {
      context.onResolve({ filter: /^embedded:manifests$/ }, () => ({ path: 'manifests', namespace: 'embedded' }));
      context.onLoad({ filter: /.*/, namespace: 'embedded' }, async () => {
        const { readdir } = await import('node:fs/promises');
        const dir = join(root, 'embedded-manifests');
        const names = (await readdir(dir)).filter((name) => name.endsWith('.yaml')).sort();
        const entries = names.map((name) => [name, readFileSync(join(dir, name), 'utf8')]);
        return { contents: `export const manifests = ${JSON.stringify(Object.fromEntries(entries))};`, loader: 'js' };
      });
    },
  };
}
