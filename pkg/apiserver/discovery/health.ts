import type { PathHandler } from '../http/request-handler.ts';
import { headers, sendBytes, sendText } from '../http/response.ts';

/** One named check; returns what is wrong, or undefined when all is well. */
export interface HealthCheck {
  readonly name: string;
  check(): string | undefined | Promise<string | undefined>;
  /** Only /readyz asks it. */
  readonly readyOnly?: boolean;
}

const ENDPOINTS: ReadonlySet<string> = new Set(['healthz', 'livez', 'readyz']);

/** /healthz, /livez and /readyz, with `?verbose`, `?exclude=NAME` and `/NAME`. */
export function healthHandler(checks: readonly HealthCheck[]): PathHandler {
  const ping: HealthCheck = { name: 'ping', check: () => undefined };
  return async ({ context, response, head }) => {
    const [endpoint = '', ...rest] = context.info.path.slice(1).split('/');
    if (!ENDPOINTS.has(endpoint) || rest.at(-1) === '') return false;
    // Some names have slashes in them.
    const name = rest.join('/');
    const all = [ping, ...checks].filter((one) => endpoint === 'readyz' || one.readyOnly !== true);
    if (name !== '') {
      const one = all.find((check) => check.name === name);
      if (one === undefined) return false;
      const problem = await one.check();
      if (problem === undefined) sendText(response, 200, 'ok', head);
      else sendText(response, 500, `internal server error: ${problem}\n`, head);
      return true;
    }
    const excluded = new Set(context.query.all('exclude'));
    const lines: string[] = [];
    let failed = false;
    for (const check of all) {
      if (excluded.delete(check.name)) {
        lines.push(`[+]${check.name} excluded: ok`);
        continue;
      }
      const problem = await check.check();
      failed ||= problem !== undefined;
      lines.push(problem === undefined ? `[+]${check.name} ok` : `[-]${check.name} failed: reason withheld`);
    }
    if (excluded.size > 0) {
      const names = [...excluded].map((unknown) => JSON.stringify(unknown)).join(', ');
      lines.push(`warn: some health checks cannot be excluded: no matches for ${names}`);
    }
    const verbose = context.query.has('verbose') || failed;
    const last = failed ? `${endpoint} check failed` : `${endpoint} check passed`;
    const text = verbose ? `${lines.join('\n')}\n${last}\n` : 'ok';
    const fields = headers(head, 'text/plain; charset=utf-8');
    fields['X-Content-Type-Options'] = 'nosniff';
    sendBytes(response, failed ? 500 : 200, fields, [Buffer.from(text)], head);
    return true;
  };
}
