import { type ClientHttp2Session, connect } from 'node:http2';
import { Pool } from 'undici';
import type { BackendProtocol } from './settings.ts';

/** Keep-alive connections to endpoints. */
export class Connections {
  /** By endpoint, then by scheme and connect timeout. */
  readonly #pools = new Map<string, Map<string, Pool>>();
  readonly #sessions = new Map<string, ClientHttp2Session>();

  /** HTTP/1.1 to an endpoint. */
  pool(authority: string, protocol: BackendProtocol, connectTimeoutMs: number): Pool {
    const scheme = protocol === 'HTTPS' ? 'https' : 'http';
    let pools = this.#pools.get(authority);
    if (pools === undefined) {
      pools = new Map();
      this.#pools.set(authority, pools);
    }
    const key = `${scheme} ${connectTimeoutMs}`;
    let pool = pools.get(key);
    if (pool === undefined) {
      pool = new Pool(`${scheme}://${authority}`, {
        allowH2: false,
        // As nginx: a backend's certificate proves nothing, for its name is an address.
        connect: { timeout: connectTimeoutMs, rejectUnauthorized: false },
        strictContentLength: false,
        maxHeaderSize: 65_536,
      });
      pools.set(key, pool);
    }
    return pool;
  }

  /** HTTP/2 to an endpoint, for gRPC; without TLS by prior knowledge. */
  session(authority: string, protocol: BackendProtocol): ClientHttp2Session {
    const origin = `${protocol === 'GRPCS' ? 'https' : 'http'}://${authority}`;
    const known = this.#sessions.get(origin);
    if (known !== undefined && !known.closed && !known.destroyed) return known;
    const session = connect(origin, { rejectUnauthorized: false });
    this.#sessions.set(origin, session);
    const forget = (): void => {
      if (this.#sessions.get(origin) === session) this.#sessions.delete(origin);
    };
    session.once('close', forget);
    session.once('goaway', forget);
    // Each request on it hears of the failure by itself.
    session.once('error', forget);
    session.unref();
    return session;
  }

  /** Closes connections to endpoints that are gone, when their last answers are complete. */
  keepOnly(authorities: ReadonlySet<string>): void {
    for (const [authority, pools] of this.#pools) {
      if (authorities.has(authority)) continue;
      this.#pools.delete(authority);
      for (const pool of pools.values()) void pool.close();
    }
    for (const [origin, session] of this.#sessions)
      if (!authorities.has(origin.slice(origin.indexOf('//') + 2))) session.close();
  }

  async close(): Promise<void> {
    const pools = [...this.#pools.values()].flatMap((entry) => [...entry.values()]);
    this.#pools.clear();
    for (const session of this.#sessions.values()) session.destroy();
    this.#sessions.clear();
    await Promise.all(pools.map((pool) => pool.destroy()));
  }
}
