import type { ResourceDefinition } from '../../api/definition.ts';
import type { Status } from '../../api/generated/types.ts';
import { bookmarkObject, type WatchConsumer } from '../registry/watch.ts';
import type { Negotiated } from '../request/negotiate.ts';
import type { Delivery } from '../watchcache/event.ts';
import { headers, type Response, type ResponseHead } from './response.ts';
import { partialMetadata, type TableOptions, tableOf } from './table.ts';

/** A watcher that has this many undelivered events is cut off: it can begin again from where it is. */
const MAX_QUEUED = 100_000;
const WRITE_BYTES = 256 * 1024;

/** One watch over HTTP: JSON objects, one a line. What the client does not take waits here by reference. */
export class WatchStream implements WatchConsumer {
  readonly #response: Response;
  readonly #definition: ResourceDefinition;
  readonly #wanted: Negotiated;
  readonly #table: TableOptions;
  #columnsSent = false;
  #queue: Buffer[] = [];
  #blocked = false;
  #ending = false;

  constructor(
    response: Response,
    definition: ResourceDefinition,
    wanted: Negotiated,
    table: TableOptions,
    head: ResponseHead,
  ) {
    this.#response = response;
    this.#definition = definition;
    this.#wanted = wanted;
    this.#table = table;
    response.writeHead(200, headers(head, 'application/json'));
    response.flushHeaders();
    response.on('drain', () => {
      this.#blocked = false;
      this.#pump();
    });
  }

  deliver(deliveries: readonly Delivery[]): void {
    if (this.#ending) return;
    if (this.#wanted.as === '') for (const delivery of deliveries) this.#queue.push(delivery.line);
    else for (const { type, entry } of deliveries) this.#push({ type, object: this.#transform(entry) });
    if (this.#queue.length > MAX_QUEUED) {
      this.#queue = [];
      this.end();
      this.#response.destroy();
      return;
    }
    this.#pump();
  }

  bookmark(resourceVersion: string, initialEnd: boolean): void {
    const plain = bookmarkObject(this.#definition, resourceVersion, initialEnd);
    let object: unknown = plain;
    if (this.#wanted.as === 'Table') {
      object = { ...tableOf(this.#definition, [], plain.metadata, this.#table, false), rows: [] };
    } else if (this.#wanted.as !== '') {
      object = { ...plain, kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${this.#wanted.version}` };
    }
    this.#push({ type: 'BOOKMARK', object });
    this.#pump();
  }

  fail(status: Status): void {
    this.#push({ type: 'ERROR', object: status });
    this.end();
  }

  /** Ends the stream once everything queued is written. */
  end(): void {
    this.#ending = true;
    this.#pump();
  }

  #push(event: unknown): void {
    this.#queue.push(Buffer.from(`${JSON.stringify(event)}\n`));
  }

  #transform(entry: Delivery['entry']): unknown {
    if (this.#wanted.as !== 'Table') return partialMetadata(entry.object, this.#wanted.version);
    const metadata = { resourceVersion: entry.object.metadata.resourceVersion };
    const table = tableOf(this.#definition, [entry], metadata, this.#table, !this.#columnsSent);
    this.#columnsSent = true;
    return table;
  }

  #pump(): void {
    const response = this.#response;
    while (this.#queue.length > 0 && !this.#blocked && !response.destroyed) {
      const [first] = this.#queue;
      let part = first ?? Buffer.alloc(0);
      if (this.#queue.length === 1) {
        this.#queue = [];
      } else {
        let count = 0;
        let size = 0;
        while (count < this.#queue.length && (count === 0 || size < WRITE_BYTES))
          size += this.#queue[count++]?.length ?? 0;
        part = Buffer.concat(this.#queue.slice(0, count), size);
        this.#queue = this.#queue.slice(count);
      }
      this.#blocked = !response.write(part);
    }
    if (this.#ending && this.#queue.length === 0 && !response.writableEnded) response.end();
  }
}
