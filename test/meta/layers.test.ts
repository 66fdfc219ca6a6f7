import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');

/** The layers of docs/architecture.md from the ground up; members of one layer do not import each other. */
const LAYERS: readonly (readonly string[])[] = [
  ['base'],
  ['storage', 'api', 'config', 'cri', 'csi'],
  ['pki'],
  ['client'],
  ['apiserver'],
  ['controller'],
  ['controllers', 'scheduler', 'kubelet', 'proxy', 'network', 'dns', 'ingress', 'deploy'],
  ['daemon'],
];

const layerOf = new Map(LAYERS.flatMap((names, layer) => names.map((name) => [name, layer] as const)));

function sources(dir: string): string[] {
  return readdirSync(join(root, dir), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
    .map((file) => join(dir, file));
}

function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.{1,2}\/[^']+)'/g)].map((match) =>
    relative(root, join(root, dirname(file), match[1] ?? '')),
  );
}

const files = sources('pkg');

describe('imports point downward', () => {
  test('every package has a layer', () => {
    const packages = new Set(files.map((file) => file.split('/')[1] ?? ''));
    expect([...packages].filter((name) => !layerOf.has(name))).toEqual([]);
  });

  test('no package imports a sibling or a higher layer', () => {
    const wrong: string[] = [];
    for (const file of files) {
      const from = file.split('/')[1] ?? '';
      for (const target of importsOf(file)) {
        const [top, to = ''] = target.split('/');
        if (top !== 'pkg') wrong.push(`${file} -> ${target}`);
        else if (to !== from && (layerOf.get(to) ?? 99) >= (layerOf.get(from) ?? -1))
          wrong.push(`${file} -> ${target}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test('controllers, scheduler plugins and the like do not import each other', () => {
    const wrong = files.flatMap((file) => {
      const [, pkg, folder] = file.split('/');
      if (pkg !== 'controllers' || file.split('/').length < 4) return [];
      return importsOf(file)
        .filter(
          (target) =>
            target.startsWith('pkg/controllers/') && target.split('/').length > 3 && target.split('/')[2] !== folder,
        )
        .map((target) => `${file} -> ${target}`);
    });
    expect(wrong).toEqual([]);
  });

  test('there are no import cycles between files', () => {
    const graph = new Map(
      files.map((file) => [
        file,
        importsOf(file).filter((target) => files.includes(target) && !isTypeOnly(file, target)),
      ]),
    );
    const state = new Map<string, 'open' | 'done'>();
    const cycles: string[] = [];
    const visit = (file: string, path: readonly string[]): void => {
      if (state.get(file) === 'done') return;
      if (state.get(file) === 'open') {
        cycles.push([...path.slice(path.indexOf(file)), file].join(' -> '));
        return;
      }
      state.set(file, 'open');
      for (const target of graph.get(file) ?? []) visit(target, [...path, file]);
      state.set(file, 'done');
    };
    for (const file of files) visit(file, []);
    expect(cycles).toEqual([]);
  });
});

/** Imports of types alone vanish at run time and may refer to each other. */
function isTypeOnly(file: string, target: string): boolean {
  const text = readFileSync(join(root, file), 'utf8');
  const name = target.split('/').at(-1) ?? '';
  const statements = [...text.matchAll(/import\s+(type\s+)?[^;]*?from\s+'([^']+)'/g)].filter((match) =>
    (match[2] ?? '').endsWith(`/${name}`),
  );
  return statements.length > 0 && statements.every((match) => match[1] !== undefined);
}

describe('process and console belong to cmd', () => {
  test('no process.env, process.exit, process.on or console below pkg', () => {
    const wrong = files
      .filter((file) => !file.endsWith('.test.ts') && !/\/(generated|testing)\//.test(file))
      .filter((file) => /\bprocess\.(env|exit|on)\b|\bconsole\./.test(readFileSync(join(root, file), 'utf8')));
    expect(wrong).toEqual([]);
  });
});
