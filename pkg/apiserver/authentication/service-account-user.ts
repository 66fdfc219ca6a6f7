import type { UserInfo } from '../../api/user.ts';

const PREFIX = 'system:serviceaccount:';

/** The groups of every ServiceAccount of a namespace. */
export function serviceAccountGroups(namespace: string): string[] {
  return ['system:serviceaccounts', `system:serviceaccounts:${namespace}`];
}

export function serviceAccountUsername(namespace: string, name: string): string {
  return `${PREFIX}${namespace}:${name}`;
}

/** The identity of a ServiceAccount inside the process, for controllers. */
export function serviceAccountUser(namespace: string, name: string): UserInfo {
  return {
    username: serviceAccountUsername(namespace, name),
    groups: [...serviceAccountGroups(namespace), 'system:authenticated'],
  };
}

/** The ServiceAccount behind a user name; undefined when it is not one. */
export function parseServiceAccountUsername(username: string): { namespace: string; name: string } | undefined {
  if (!username.startsWith(PREFIX)) return undefined;
  const [namespace, name, ...rest] = username.slice(PREFIX.length).split(':');
  if (!namespace || !name || rest.length > 0) return undefined;
  return { namespace, name };
}
