import { envelopeHead, watchFrame } from '../../api/protobuf/index.ts';
import type { Schema } from '../../api/schema.ts';
import type { Entry } from './entry.ts';
import { atRevision } from './entry.ts';

export type ChangeType = 'ADDED' | 'MODIFIED' | 'DELETED';

/** One committed change of one object; encoded at most once, however many watchers it goes to. */
export class ChangeEvent {
  readonly revision: number;
  /** The new state; undefined when the object was deleted. */
  readonly entry: Entry | undefined;
  readonly previous: Entry | undefined;
  #gone: Entry | undefined;

  constructor(revision: number, entry: Entry | undefined, previous: Entry | undefined) {
    this.revision = revision;
    this.entry = entry;
    this.previous = previous;
  }

  get type(): ChangeType {
    return this.entry === undefined ? 'DELETED' : this.previous === undefined ? 'ADDED' : 'MODIFIED';
  }

  /** The last state, with the revision of its end: what a DELETED event carries. */
  get gone(): Entry | undefined {
    if (this.#gone === undefined && this.previous !== undefined) this.#gone = atRevision(this.previous, this.revision);
    return this.#gone;
  }
}

/** What one watcher is told: an object appeared in its view, changed or left it. Shared between watchers of one event. */
export class Delivery {
  readonly type: ChangeType;
  readonly entry: Entry;
  /** The state before a change of an object that stays in view. */
  readonly previous: Entry | undefined;
  #line: Buffer | undefined;
  #frame: Buffer | undefined;

  constructor(type: ChangeType, entry: Entry, previous?: Entry) {
    this.type = type;
    this.entry = entry;
    this.previous = previous;
  }

  /** The JSON line of a watch stream. */
  get line(): Buffer {
    if (this.#line === undefined) {
      const head = `{"type":"${this.type}","object":`;
      const bytes = this.entry.bytes;
      const line = Buffer.allocUnsafeSlow(head.length + bytes.length + 2);
      line.write(head, 0, 'latin1');
      line.set(bytes, head.length);
      line[line.length - 2] = 0x7d;
      line[line.length - 1] = 0x0a;
      this.#line = line;
    }
    return this.#line;
  }

  /** The frame of a watch stream in protobuf, for built-in kinds. */
  frame(schema: Schema): Buffer {
    if (this.#frame === undefined) {
      const { apiVersion, kind } = this.entry.object;
      const message = this.entry.message(schema);
      this.#frame = watchFrame(this.type, [envelopeHead(apiVersion, kind, message.length), message]);
    }
    return this.#frame;
  }
}

/** The up to two forms in which one event reaches watchers. */
export class Deliveries {
  readonly event: ChangeEvent;
  #added: Delivery | undefined;
  #modified: Delivery | undefined;
  #deleted: Delivery | undefined;

  constructor(event: ChangeEvent) {
    this.event = event;
  }

  /** What a watcher sees for whom the object was (`before`) and is (`now`) in view. */
  for(before: boolean, now: boolean): Delivery | undefined {
    const { entry } = this.event;
    if (now && entry !== undefined) {
      if (!before) {
        this.#added ??= new Delivery('ADDED', entry);
        return this.#added;
      }
      this.#modified ??= new Delivery('MODIFIED', entry, this.event.previous);
      return this.#modified;
    }
    const last = before ? this.event.gone : undefined;
    if (last === undefined) return undefined;
    this.#deleted ??= new Delivery('DELETED', last);
    return this.#deleted;
  }
}
