import { mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import type { MethodFacts } from './descriptor.ts';
import { criErrorText, isCriError } from './grpc.ts';

/** Answers one call; an Error is what the caller gets: a CriError with its code, any other as Unknown. */
export type GrpcHandler = (request: object) => object | Promise<object>;

/** Linux' sun_path without its end. */
const MAX_SOCKET_PATH = 107;

/** A gRPC server with unary methods on a Unix socket. */
export class GrpcServer {
  readonly #server = new Server();

  add(method: MethodFacts, handler: GrpcHandler): void {
    const { path, request, response } = method;
    const definition = {
      path,
      requestStream: false,
      responseStream: false,
      requestSerialize: (value: object) => Buffer.from(request.encode(request.fromObject(value)).finish()),
      requestDeserialize: (bytes: Buffer) => request.toObject(request.decode(bytes), { defaults: true, arrays: true }),
      responseSerialize: (value: object) => Buffer.from(response.encode(response.fromObject(value)).finish()),
      responseDeserialize: (bytes: Buffer) => response.toObject(response.decode(bytes)),
    };
    const answer = (call: { request: object }, done: (error: object | null, value?: object) => void): void => {
      Promise.resolve(call.request)
        .then(handler)
        .then(
          (value) => done(null, value),
          (error: unknown) => done({ code: codeOf(error), details: criErrorText(error) }),
        );
    };
    this.#server.addService({ [path]: definition }, { [path]: answer });
  }

  /** Replaces a socket that is there. False: its path is too long for a socket. */
  async listen(path: string): Promise<boolean> {
    if (Buffer.byteLength(path) > MAX_SOCKET_PATH) return false;
    await mkdir(dirname(path), { recursive: true, mode: 0o750 });
    await rm(path, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.bindAsync(`unix:${path}`, ServerCredentials.createInsecure(), (error) =>
        error === null ? resolve() : reject(error),
      );
    });
    return true;
  }

  close(): void {
    this.#server.forceShutdown();
  }
}

/** Codes are named as Go prints them: `ResourceExhausted`. */
function codeOf(error: unknown): status {
  const name = isCriError(error) ? error.code.replace(/(?<=.)[A-Z]/g, '_$&').toUpperCase() : 'UNKNOWN';
  return (Object.entries(status).find(([key]) => key === name)?.[1] as status | undefined) ?? status.UNKNOWN;
}
