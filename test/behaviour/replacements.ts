import type { Observer } from './observer.ts';

/** What the API server puts behind generateName; pods of StatefulSets have another end. */
const SUFFIX = /^[bcdfghjklmnpqrstvwxz2456789]{5}$/;
/** Labels whose values are hashes of a template; those of StatefulSets have the set's name before it. */
const HASH_LABELS = ['pod-template-hash', 'controller-revision-hash', 'controller.kubernetes.io/hash'];

/**
 * What in texts of this run stands for generated names: whole names and hashes, longest first, and their placeholders
 * without numbers.
 */
export function generatedNames(observer: Observer): (readonly [text: string, placeholder: string])[] {
  const found = new Map<string, string>();
  for (const versions of observer.history.values()) {
    const metadata = versions[0]?.object.metadata;
    if (metadata === undefined) continue;
    const labels = (metadata['labels'] ?? {}) as Readonly<Record<string, string>>;
    for (const label of HASH_LABELS) {
      const hash = labels[label]?.split('-').at(-1);
      if (hash !== undefined && /^[a-z0-9]{6,10}$/.test(hash)) found.set(hash, '<hash>');
    }
    const { name, generateName } = metadata;
    if (generateName !== undefined && name.startsWith(generateName) && SUFFIX.test(name.slice(generateName.length))) {
      found.set(name, `${generateName}<suffix>`);
    }
    const run = /^(.+)-\d{8,}$/.exec(name);
    if (run !== null) found.set(name, `${run[1]}-<minute>`);
  }
  // Names hold hashes: what stands for a name is itself without them.
  const hashes = [...found].filter(([, placeholder]) => placeholder === '<hash>');
  const clean = (text: string): string => hashes.reduce((rest, [hash]) => rest.replaceAll(hash, '<hash>'), text);
  return [...found]
    .map(([text, placeholder]) => [text, clean(placeholder)] as const)
    .sort(([a], [b]) => b.length - a.length);
}
