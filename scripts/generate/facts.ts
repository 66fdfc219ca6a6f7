import { readFileSync } from 'node:fs';

export interface FieldFact {
  readonly name: string;
  readonly required: boolean;
  readonly type: string;
}

export interface TypeFact {
  readonly name: string;
  readonly packageName: string;
  readonly marks: readonly string[];
  readonly fields: readonly FieldFact[];
}

export interface ResourceFact {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

/** Reads pkg/api/facts/types.txt; the format is described at its top. */
export function readTypes(path: string): { types: TypeFact[]; groups: Map<string, string> } {
  const types: TypeFact[] = [];
  const groups = new Map<string, string>();
  let packageName = '';
  let fields: FieldFact[] = [];
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const words = line.trim().split(' ');
    if (line.startsWith('package ')) {
      packageName = words[1] ?? '';
      if (words[3] !== undefined) groups.set(packageName, words[3]);
    } else if (line.startsWith('type ')) {
      fields = [];
      types.push({ name: words[1] ?? '', packageName, marks: words.slice(2), fields });
    } else {
      const [name = '', type = ''] = words;
      fields.push({ name: name.replace('!', ''), required: name.endsWith('!'), type });
    }
  }
  return { types, groups };
}

/** Reads pkg/api/facts/resources.txt, without the subresources. */
export function readResources(path: string): ResourceFact[] {
  const resources: ResourceFact[] = [];
  let group = '';
  let version = '';
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    if (line === '' || line.startsWith('#') || line.startsWith('    ')) continue;
    const words = line.trim().split(' ');
    if (line.startsWith('group ')) {
      group = words[1] === 'core' ? '' : (words[1] ?? '');
      version = words[2] ?? '';
    } else {
      resources.push({
        group,
        version,
        plural: words[0] ?? '',
        kind: words[1] ?? '',
        namespaced: words[2] === 'namespaced',
      });
    }
  }
  return resources;
}

/** The facts as a module: both texts without comments, blank lines and indentation deeper than what carries meaning. */
export function compactFacts(typesPath: string, resourcesPath: string): string {
  const strip = (path: string): string =>
    readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => line.replace(/^( +)/, (indent) => ' '.repeat(indent.length / 2)))
      .join('\n');
  const literal = (text: string): string =>
    `\`${text.replaceAll('\\', '\\\\').replaceAll('`', '\\`').replaceAll('${', '\\${')}\``;
  return [
    `export const typeFacts = ${literal(strip(typesPath))};`,
    '',
    `export const resourceFacts = ${literal(strip(resourcesPath))};`,
    '',
  ].join('\n');
}
