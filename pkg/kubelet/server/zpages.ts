import type { IncomingMessage, ServerResponse } from 'node:http';
import { isStatusError } from '../../api/errors.ts';
import { jsonText } from '../../api/object-text.ts';
import { flagzPage, statuszPage, type ZPageAnswer, zPageAnswer } from '../../api/zpages.ts';
import type { Clock } from '../../base/clock.ts';
import { flag } from './requests.ts';

/** What upstream's kubelet lists of what it serves: the paths that have no routes of their own. */
const LISTED = ['/configz', '/flagz', '/healthz', '/metrics'];

export interface ZPagesDeps {
  readonly clock: Clock;
  /** The settings of the process by name. */
  readonly flags: Readonly<Record<string, string>>;
}

/** Answers `/statusz` or `/flagz`. */
export function serveZPage(
  name: 'statusz' | 'flagz',
  { headers }: IncomingMessage,
  query: URLSearchParams,
  response: ServerResponse,
  { clock, flags }: ZPagesDeps,
): void {
  const startedMs = clock.now() - process.uptime() * 1000;
  const page = name === 'flagz' ? flagzPage(flags) : statuszPage({ clock, startedMs, paths: () => LISTED });
  let answer: ZPageAnswer;
  try {
    answer = zPageAnswer('kubelet', page, headers.accept, flag(query, 'pretty'));
  } catch (error) {
    if (!isStatusError(error)) throw error;
    response.writeHead(error.code, { 'content-type': 'application/json' }).end(jsonText(error.status, true));
    return;
  }
  const { contentType, text, warning } = answer;
  response.writeHead(200, { 'content-type': contentType, ...(warning === undefined ? {} : { warning }) }).end(text);
}
