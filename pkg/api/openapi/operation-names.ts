import type { ResourceType } from '../object.ts';

type GroupVersion = Pick<ResourceType, 'group' | 'version'>;

/** `AppsV1`, `RbacAuthorizationV1`, `CoreV1`. */
export function groupVersionID({ group, version }: GroupVersion): string {
  return [...wordsOf(group), version].map(capital).join('');
}

/** `apps_v1`, `rbacAuthorization_v1`, `core_v1`. */
export function tagOf({ group, version }: GroupVersion): string {
  return `${camel(wordsOf(group))}_${version}`;
}

export function wordsOf(group: string): string[] {
  return group === '' ? ['core'] : group.replace(/\.k8s\.io$/, '').split('.');
}

export function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

export function camel(words: readonly string[]): string {
  return words.map((word, i) => (i === 0 ? word : capital(word))).join('');
}
