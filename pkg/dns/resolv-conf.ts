import { readFile, stat } from 'node:fs/promises';
import { isIP } from 'node:net';
import type { Clock } from '../base/clock.ts';
import type { Upstream } from './upstream.ts';

const CHECK_MS = 5000;

/** The `nameserver` lines of a resolv.conf (at most three count), without our own addresses. */
export function parseResolvConf(text: string, own: ReadonlySet<string>): Upstream[] {
  const servers: Upstream[] = [];
  for (const line of text.split('\n')) {
    const [keyword, address = ''] = line.trim().split(/\s+/);
    const [plain = ''] = address.split('%');
    if (keyword !== 'nameserver' || isIP(plain) === 0 || own.has(plain)) continue;
    servers.push({ address, port: 53 });
  }
  return servers.slice(0, 3);
}

/** Follows a resolv.conf: looks, at most every five seconds and only when asked, whether it has changed. */
export function resolvConfUpstreams(
  path: string,
  own: ReadonlySet<string>,
  clock: Clock,
): () => Promise<readonly Upstream[]> {
  let current: readonly Upstream[] = [];
  let changedMs = -1;
  let checkedMs = -Infinity;
  return async () => {
    if (clock.monotonic() - checkedMs < CHECK_MS) return current;
    checkedMs = clock.monotonic();
    try {
      const { mtimeMs } = await stat(path);
      if (mtimeMs !== changedMs) {
        current = parseResolvConf(await readFile(path, 'utf8'), own);
        changedMs = mtimeMs;
      }
    } catch {
      // While it is being replaced, or without one, what was known stays.
    }
    return current;
  };
}
