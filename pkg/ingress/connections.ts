import { type ClientHttp2Session, connect } from 'node:http2';
import { BackendPool } from './http1/backend-pool.ts';
import type { BackendProtocol } from './settings.ts';

/** Keep-alive connections to endpoints. */
export class Connections {
  /** By endpoint, then by scheme and connect timeout. */
  readonly #pools = new Map<string, Map<string, BackendPool>>();
  readonly #sessions = new Map<string, ClientHttp2Session>();

  /** HTTP/1.1 to an endpoint. */
  pool(authority: string, protocol: BackendProtocol, connectTimeoutMs: number): BackendPool {
    let pools = this.#pools.get(authority);
    if (pools === undefined) {
      pools = new Map();
      this.#pools.set(authority, pools);
    }
    const secure = protocol === 'HTTPS';
    const key = `${secure} ${connectTimeoutMs}`;
    let pool = pools.get(key);
    if (pool === undefined) {
      const colon = authority.lastIndexOf(':');
      const host = authority.slice(0, colon).replace(/^\[|\]$/g, '');
      pool = new BackendPool({ host, port: Number(authority.slice(colon + 1)), secure, connectTimeoutMs });
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
      for (const pool of pools.values()) pool.close();
    }
    for (const [origin, session] of this.#sessions)
      if (!authorities.has(origin.slice(origin.indexOf('//') + 2))) session.close();
  }

  close(): void {
    for (const pools of this.#pools.values()) for (const pool of pools.values()) pool.destroy();
    this.#pools.clear();
    for (const session of this.#sessions.values()) session.destroy();
    this.#sessions.clear();
  }
}
