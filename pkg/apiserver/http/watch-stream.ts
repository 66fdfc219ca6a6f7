import type { ResourceDefinition } from '../../api/definition.ts';
import type { Status } from '../../api/generated/types.ts';
import { partialMetadata, renderTable, type TableOptions } from '../../api/printers/index.ts';
import { PROTOBUF_TYPE } from '../../api/protobuf/index.ts';
import { bookmarkObject, type WatchConsumer } from '../registry/watch.ts';
import type { Negotiated } from '../request/negotiate.ts';
import type { Delivery } from '../watchcache/event.ts';
import { protobufEvent } from './protobuf.ts';
import { headers, type Response, type ResponseHead } from './response.ts';
import { GATHER_MS, type PacedStream, type WatchPacer } from './watch-pacer.ts';

/** A watcher that has this many undelivered events is cut off: it can begin again from where it is. */
const MAX_QUEUED = 100_000;
const WRITE_BYTES = 256 * 1024;

export interface WatchStreamDeps {
  readonly pacer: WatchPacer;
  /** Counts what the watch is sent. */
  readonly events: { inc(count: number): void };
}

/** One watch over HTTP: JSON objects, one a line, or frames of protobuf. What the client does not take waits here by reference. */
export class WatchStream implements WatchConsumer, PacedStream {
  readonly #response: Response;
  readonly #definition: ResourceDefinition;
  readonly #wanted: Negotiated;
  readonly #table: TableOptions;
  readonly #pacer: WatchPacer;
  readonly #events: WatchStreamDeps['events'];
  #columnsSent = false;
  /** Deliveries are encoded when their turn comes; `#head` is the first one not yet written. */
  #queue: (Delivery | Buffer)[] = [];
  #head = 0;
  #blocked = false;
  #started = false;
  #ending = false;
  /** When something was last written, and whether the pacer will call. */
  #writtenMs = Number.NEGATIVE_INFINITY;
  #gathering = false;

  constructor(
    response: Response,
    definition: ResourceDefinition,
    wanted: Negotiated,
    table: TableOptions,
    head: ResponseHead,
    deps: WatchStreamDeps,
  ) {
    this.#pacer = deps.pacer;
    this.#events = deps.events;
    this.#response = response;
    this.#definition = definition;
    this.#wanted = wanted;
    this.#table = table;
    const contentType = wanted.encoding === 'protobuf' ? `${PROTOBUF_TYPE};stream=watch` : 'application/json';
    response.writeHead(200, headers(head, contentType));
    response.flushHeaders();
    response.on('drain', () => {
      this.#blocked = false;
      this.#pump();
    });
  }

  deliver(deliveries: readonly Delivery[]): void {
    if (this.#ending) return;
    this.#events.inc(deliveries.length);
    if (this.#wanted.as === '') for (const delivery of deliveries) this.#queue.push(delivery);
    else for (const { type, entry } of deliveries) this.#push(type, this.#transform(entry));
    // The initial state may be larger than what a watcher may fall behind.
    if (this.#started && this.#queue.length - this.#head > MAX_QUEUED) {
      this.#queue = [];
      this.#head = 0;
      this.#ending = true;
      this.#response.destroy();
      return;
    }
    this.#started = true;
    if (this.#gathering || this.#blocked) return;
    if (this.#pacer.now() - this.#writtenMs >= GATHER_MS) {
      this.#pump();
    } else {
      this.#gathering = true;
      this.#pacer.wait(this);
    }
  }

  flush(): void {
    this.#gathering = false;
    this.#pump();
  }

  bookmark(resourceVersion: string, initialEnd: boolean): void {
    const plain = bookmarkObject(this.#definition, resourceVersion, initialEnd);
    let object: Record<string, unknown> = plain;
    if (this.#wanted.as === 'Table') {
      object = { ...renderTable(this.#definition, [], plain.metadata, { ...this.#table, columns: false }) };
    } else if (this.#wanted.as !== '') {
      object = { ...plain, kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${this.#wanted.version}` };
    }
    this.#push('BOOKMARK', object);
    this.#pump();
  }

  fail(status: Status): void {
    this.#push('ERROR', { ...status });
    this.end();
  }

  /** Ends the stream once everything queued is written. */
  end(): void {
    this.#ending = true;
    this.#pump();
  }

  #push(type: string, object: Record<string, unknown>): void {
    this.#queue.push(
      this.#wanted.encoding === 'protobuf'
        ? protobufEvent(type, object)
        : Buffer.from(`${JSON.stringify({ type, object })}\n`),
    );
  }

  #encode(delivery: Delivery): Buffer {
    return this.#wanted.encoding === 'protobuf' ? delivery.frame(this.#definition.schema) : delivery.line;
  }

  #transform(entry: Delivery['entry']): Record<string, unknown> {
    if (this.#wanted.as !== 'Table') return partialMetadata(entry.object, this.#wanted.version);
    const metadata = { resourceVersion: entry.object.metadata.resourceVersion };
    const options = { ...this.#table, columns: !this.#columnsSent };
    this.#columnsSent = true;
    return { ...renderTable(this.#definition, [entry.object], metadata, options) };
  }

  #pump(): void {
    const response = this.#response;
    while (this.#head < this.#queue.length && !this.#blocked && !response.destroyed) {
      const parts: Buffer[] = [];
      let size = 0;
      while (this.#head < this.#queue.length && size < WRITE_BYTES) {
        const next = this.#queue[this.#head++];
        if (next === undefined) continue;
        const bytes = Buffer.isBuffer(next) ? next : this.#encode(next);
        parts.push(bytes);
        size += bytes.length;
      }
      this.#blocked = !response.write(this.#pacer.join(parts, size));
      this.#writtenMs = this.#pacer.now();
    }
    if (this.#head >= this.#queue.length) {
      if (this.#queue.length > 0) this.#queue = [];
      this.#head = 0;
      if (this.#ending && !response.writableEnded) response.end();
    }
  }
}
