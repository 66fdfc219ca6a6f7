import {
  connectivityState,
  credentials,
  Client as GrpcChannel,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import type { MethodFacts } from './descriptor.ts';

/** A call to the runtime failed. `code` is the gRPC status name, `detail` the runtime's own text. */
export class CriError extends Error {
  readonly code: string;
  readonly detail: string;

  constructor(code: string, detail: string, options?: { cause?: unknown }) {
    super(`rpc error: code = ${code} desc = ${detail}`, options);
    this.name = 'CriError';
    this.code = code;
    this.detail = detail;
  }
}

export function isCriError(error: unknown, code?: string): error is CriError {
  return error instanceof CriError && (code === undefined || error.code === code);
}

/** The runtime's own text where there is one, else the message. */
export function criErrorText(error: unknown): string {
  if (error instanceof CriError) return error.detail;
  return error instanceof Error ? error.message : String(error);
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Absent: no limit. */
  readonly timeoutMs?: number;
}

/** Messages hold many images or containers: upstream's limit. */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
const DECODE = { longs: Number, enums: String, defaults: true, arrays: true, objects: true } as const;

/** Status names as Go prints them: `NotFound`, `DeadlineExceeded`. */
function codeName(code: number): string {
  const name = status[code] ?? 'UNKNOWN';
  return name
    .split('_')
    .map((word) => word[0] + word.slice(1).toLowerCase())
    .join('');
}

/** One gRPC connection over a Unix socket; reconnects by itself. */
export class GrpcConnection {
  readonly #channel: GrpcChannel;
  readonly #metadata: Metadata;

  /** `endpoint` is `unix:///path` or a path. */
  constructor(endpoint: string, metadata: Readonly<Record<string, string>> = {}) {
    const path = endpoint.replace(/^unix:(\/\/)?/, '');
    this.#channel = new GrpcChannel(`unix:${path}`, credentials.createInsecure(), {
      'grpc.default_authority': 'localhost',
      'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 2000,
      'grpc.use_local_subchannel_pool': 1,
    });
    this.#metadata = new Metadata();
    for (const [key, value] of Object.entries(metadata)) this.#metadata.set(key, value);
  }

  unary(method: MethodFacts, request: object, options: CallOptions = {}): Promise<unknown> {
    const { signal, timeoutMs } = options;
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const onAbort = (): void => call.cancel();
      const call = this.#channel.makeUnaryRequest(
        method.path,
        (value: object) => Buffer.from(method.request.encode(method.request.fromObject(value)).finish()),
        (bytes: Buffer) => method.response.toObject(method.response.decode(bytes), DECODE),
        request,
        this.#metadata,
        timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs },
        (error: ServiceError | null, value) => {
          signal?.removeEventListener('abort', onAbort);
          if (error !== null) reject(signal?.aborted ? signal.reason : toCriError(error));
          else resolve(value);
        },
      );
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** A server stream; ends when the server ends it or `signal` aborts, throws CriError when it breaks. */
  async *stream(method: MethodFacts, request: object, signal: AbortSignal): AsyncIterable<unknown> {
    signal.throwIfAborted();
    const call = this.#channel.makeServerStreamRequest(
      method.path,
      (value: object) => Buffer.from(method.request.encode(method.request.fromObject(value)).finish()),
      (bytes: Buffer) => method.response.toObject(method.response.decode(bytes), DECODE),
      request,
      this.#metadata,
    );
    const onAbort = (): void => call.cancel();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      for await (const message of call) yield message;
    } catch (error) {
      if (!signal.aborted) throw toCriError(error as ServiceError);
    } finally {
      signal.removeEventListener('abort', onAbort);
      call.cancel();
    }
  }

  /** Keeps the connection open, and says when it is made and when it breaks, until it is closed. */
  follow(changed: (isConnected: boolean) => void): void {
    const channel = this.#channel.getChannel();
    const look = (): void => {
      const state = channel.getConnectivityState(true);
      if (state === connectivityState.SHUTDOWN) return;
      changed(state === connectivityState.READY);
      channel.watchConnectivityState(state, Number.POSITIVE_INFINITY, look);
    };
    look();
  }

  close(): void {
    this.#channel.close();
  }
}

function toCriError(error: ServiceError): CriError {
  // Ours, and in words of its own; all others tell it as Go does.
  const isLate = error.code === status.DEADLINE_EXCEEDED && error.details?.startsWith('Deadline exceeded after');
  const detail = isLate ? 'context deadline exceeded' : (error.details ?? error.message);
  return new CriError(codeName(error.code ?? status.UNKNOWN), detail, { cause: error });
}
