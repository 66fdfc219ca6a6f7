import type { EventFields } from './event.ts';

/** One event in the older form of upstream's log: a line of `key="value"`. */
export function legacyLine(fields: EventFields): string {
  const { user, impersonatedUser, objectRef, responseStatus, sourceIPs } = fields;
  const hasUser = user !== undefined && user.username !== '';
  const pairs: readonly [key: string, value: string][] = [
    ['id', fields.auditID],
    ['stage', fields.stage],
    ['ip', sourceIPs[0] ?? '<unknown>'],
    ['method', fields.verb],
    ['user', hasUser ? user.username : '<none>'],
    ['groups', hasUser && user.groups.length > 0 ? quoted(user.groups) : '<none>'],
    ['as', impersonatedUser?.username ?? '<self>'],
    ['asgroups', impersonatedUser === undefined ? '<lookup>' : quoted(impersonatedUser.groups)],
    ['user-agent', fields.userAgent],
    ['namespace', objectRef?.namespace ?? '<none>'],
    ['uri', fields.requestURI],
    ['response', responseStatus === undefined ? '<deferred>' : String(responseStatus.code ?? 0)],
  ];
  const text = pairs.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(' ');
  // As Go prints times: without zeros at the end.
  const time = fields.requestReceivedTimestamp.replace(/\.?0+Z$/, 'Z');
  return `${time} AUDIT: ${text}`;
}

function quoted(texts: readonly string[]): string {
  return texts.map((text) => JSON.stringify(text)).join(',');
}
