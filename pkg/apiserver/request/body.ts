import type { IncomingMessage } from 'node:http';
import { badRequest, newStatus, StatusError } from '../../api/errors.ts';
import type { PatchKind } from '../../client/client.ts';
import type { ObjectBody } from '../object-engine.ts';
import { mediaType } from './media-type.ts';
import { ACCEPTED } from './negotiate.ts';

export const MAX_BODY_BYTES = 3 * 1024 * 1024;
/** So much is read of a body that is too large, and thrown away: who is still writing would not see the answer otherwise. */
const MAX_DRAINED_BYTES = 64 * 1024 * 1024;

/** Reads a body; throws RequestEntityTooLarge. */
export function readBody(request: IncomingMessage, limit = MAX_BODY_BYTES): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const cutOff = (): void => reject(badRequest('the client closed the connection within the request body'));
    // It may have gone before anybody asked for the body: no event would tell any more.
    if (request.destroyed) {
      cutOff();
      return;
    }
    const chunks: Buffer[] = [];
    let size = 0;
    let isRefused = false;
    const refuse = (): void => {
      isRefused = true;
      chunks.length = 0;
      reject(tooLarge(limit));
    };
    if (Number(request.headers['content-length'] ?? 0) > limit) refuse();
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (isRefused) {
        if (size > MAX_DRAINED_BYTES) request.destroy();
      } else if (size > limit) refuse();
      else chunks.push(chunk);
    });
    request.on('error', cutOff);
    // A body that has come as a whole but was not read is lost with its connection.
    request.on('close', cutOff);
    request.on('end', () => {
      request.off('close', cutOff);
      resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks));
    });
  });
}

function tooLarge(limit: number): StatusError {
  return new StatusError(newStatus(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${limit}`));
}

/** The body of a create, update or delete; undefined when empty. Throws UnsupportedMediaType. */
export function objectBody(bytes: Buffer, header: string | undefined): ObjectBody | undefined {
  const contentType = header ? mediaType(header) : 'application/json';
  if (contentType === undefined || !OBJECT_TYPES.has(contentType)) {
    throw unsupported(`the body of the request was in an unknown format - accepted media types include: ${ACCEPTED}`);
  }
  return bytes.length === 0 ? undefined : { bytes, contentType };
}

const OBJECT_TYPES: ReadonlySet<string> = new Set([
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
]);

const PATCH_TYPES: Readonly<Record<string, PatchKind>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
};

/** The kind of a patch by its content type; `custom` resources have no strategic merge. Throws UnsupportedMediaType. */
export function patchKindOf(contentType: string | undefined, custom: boolean): PatchKind {
  const kind = PATCH_TYPES[contentType?.split(';', 1)[0]?.trim() ?? ''];
  if (kind !== undefined && !(custom && kind === 'strategic')) return kind;
  if (!custom) {
    // Upstream's router, which custom resources do not pass, is in front.
    throw new StatusError(newStatus(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {}));
  }
  const accepted = Object.keys(PATCH_TYPES).filter((type) => PATCH_TYPES[type] !== 'strategic');
  throw unsupported(
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
  );
}

export function patchBody(bytes: Buffer, kind: PatchKind): ObjectBody {
  return { bytes, contentType: kind === 'apply' ? 'application/yaml' : 'application/json' };
}

function unsupported(message: string): StatusError {
  return new StatusError(newStatus(415, 'UnsupportedMediaType', message));
}
