import type { UserInfo } from '../../api/user.ts';
import type { ProxyHeaders } from '../proxy/proxy-headers.ts';

/** What may stand in a header's name besides letters and digits, but for `%`, which escapes. */
const TOKEN = /[^A-Za-z0-9!#$&'*+\-.^_`|~]/g;

/** The headers by which a front proxy says who makes a request. */
export function frontProxyHeaders({ username, uid, groups, extra = {} }: UserInfo): ProxyHeaders {
  const headers: ProxyHeaders = { 'x-remote-user': bytes(username) };
  if (uid !== undefined && uid !== '') headers['x-remote-uid'] = bytes(uid);
  if (groups.length > 0) headers['x-remote-group'] = groups.map(bytes);
  for (const [key, values] of Object.entries(extra)) {
    if (values.length > 0) headers[`x-remote-extra-${escapeKey(key)}`] = values.map(bytes);
  }
  return headers;
}

function escapeKey(key: string): string {
  return key.replace(TOKEN, (text) =>
    [...Buffer.from(text)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
}

/** Header values are bytes; what would end a header has no place in one. */
function bytes(text: string): string {
  return Buffer.from(text.replace(/[\r\n\0]/g, ' ')).toString('latin1');
}
