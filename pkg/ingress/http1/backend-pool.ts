import { type BackendAddress, BackendConnection } from './backend-connection.ts';

/** How long a connection waits for another request, where the endpoint does not say how long it does. */
const IDLE_MS = 4000;
const MAX_IDLE_MS = 600_000;
/** The endpoint's end of the connection is under way to us for so long at the most. */
const MARGIN_MS = 1000;
const MAX_IDLE = 128;

/** The connections to one endpoint; those that wait are used again, the last one first. */
export class BackendPool {
  readonly #address: BackendAddress;
  readonly #all = new Set<BackendConnection>();
  readonly #idle: BackendConnection[] = [];
  #isClosed = false;

  constructor(address: BackendAddress) {
    this.#address = address;
  }

  take(): BackendConnection {
    const kept = this.#idle.pop();
    if (kept !== undefined) return kept;
    const connection = new BackendConnection(this.#address, {
      released: (released, keepAliveMs) => this.#released(released, keepAliveMs),
      closed: (closed) => this.#closed(closed),
    });
    this.#all.add(connection);
    return connection;
  }

  /** Answers under way are completed, then nothing is kept. */
  close(): void {
    this.#isClosed = true;
    for (const connection of this.#idle.splice(0)) connection.destroy();
  }

  destroy(): void {
    this.#isClosed = true;
    for (const connection of this.#all) connection.destroy();
  }

  #released(connection: BackendConnection, keepAliveMs: number | undefined): void {
    const idleMs = keepAliveMs === undefined ? IDLE_MS : Math.min(MAX_IDLE_MS, keepAliveMs - MARGIN_MS);
    if (this.#isClosed || idleMs <= 0 || this.#idle.length >= MAX_IDLE) {
      connection.destroy();
      return;
    }
    connection.rest(idleMs);
    this.#idle.push(connection);
  }

  #closed(connection: BackendConnection): void {
    this.#all.delete(connection);
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
  }
}
