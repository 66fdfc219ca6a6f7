import { createHash } from 'node:crypto';
import { type Describe, OpenAPIv3, openAPIv2, openAPIv2Protobuf } from '../../api/openapi/index.ts';
import { KUBERNETES_VERSION } from '../../api/version.ts';
import type { Definitions } from '../definitions.ts';
import type { PathHandler } from '../http/request-handler.ts';
import { type Headers, headers, sendBytes, sendObject } from '../http/response.ts';

const V2_PROTOBUF = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';
/** How older clients ask for it. They cannot parse it in an answer: `@` is no character of a media type. */
const V2_PROTOBUF_OLD = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';

interface Document {
  readonly bytes: Buffer;
  readonly etag: string;
}

/** /openapi/v2 (JSON or protobuf) and /openapi/v3; documents are made when first asked for, anew when definitions change. */
export function openAPIHandler(definitions: Definitions, describe: Describe): PathHandler {
  const documents = new OpenAPIDocuments(definitions, describe);
  return ({ context, request, response, head }) => {
    const { path } = context.info;
    const isV2 = path === '/openapi/v2' || path === '/openapi/v2/';
    if (!isV2 && path !== '/openapi/v3' && !path.startsWith('/openapi/v3/')) return false;
    if (path === '/openapi/v3' || path === '/openapi/v3/') {
      sendObject(response, 200, documents.v3().index(), { encoding: 'json' }, head);
      return true;
    }
    const protobuf = isV2 && wantsProtobuf(request.headers.accept);
    const document = isV2 ? documents.v2(protobuf) : documents.group(path.slice('/openapi/v3/'.length));
    if (document === undefined) return false;
    const fields: Headers = {
      ...headers(head, protobuf ? V2_PROTOBUF : 'application/json'),
      ETag: document.etag,
      Vary: 'Accept',
    };
    if (context.query.get('hash') === document.etag.slice(1, -1)) {
      fields['Cache-Control'] = 'public, immutable';
      fields['Expires'] = new Date(Date.now() + YEAR_MS).toUTCString();
    }
    if (request.headers['if-none-match'] === document.etag) response.writeHead(304, fields).end();
    else sendBytes(response, 200, fields, [document.bytes], head);
    return true;
  };
}

const YEAR_MS = 365 * 24 * 3600 * 1000;

function wantsProtobuf(accept: string | undefined): boolean {
  for (const clause of (accept ?? '').split(',')) {
    const type = clause.split(';', 1)[0]?.trim();
    if (type === V2_PROTOBUF || type === V2_PROTOBUF_OLD) return true;
    if (type === 'application/json' || type === '*/*') return false;
  }
  return false;
}

class OpenAPIDocuments {
  readonly #definitions: Definitions;
  readonly #options: { readonly version: string; readonly describe: Describe };
  readonly #documents = new Map<string, Document>();
  #generation = -1;
  #v3: OpenAPIv3 | undefined;

  constructor(definitions: Definitions, describe: Describe) {
    this.#definitions = definitions;
    this.#options = { version: KUBERNETES_VERSION, describe };
  }

  v3(): OpenAPIv3 {
    this.#refresh();
    this.#v3 ??= new OpenAPIv3([...this.#definitions.all()], this.#options);
    return this.#v3;
  }

  v2(protobuf: boolean): Document | undefined {
    this.#refresh();
    return this.#document(protobuf ? 'v2.protobuf' : 'v2', () => {
      const document = openAPIv2([...this.#definitions.all()], this.#options);
      return protobuf ? openAPIv2Protobuf(document) : Buffer.from(JSON.stringify(document));
    });
  }

  group(path: string): Document | undefined {
    const v3 = this.v3();
    return this.#document(
      `v3/${path}`,
      () => v3.document(path),
      () => v3.hash(path),
    );
  }

  #document(key: string, make: () => Uint8Array | undefined, hash?: () => string): Document | undefined {
    let document = this.#documents.get(key);
    if (document !== undefined) return document;
    const made = make();
    if (made === undefined) return undefined;
    const bytes = Buffer.from(made.buffer, made.byteOffset, made.byteLength);
    const digest = hash?.() ?? createHash('sha512').update(bytes).digest('hex').toUpperCase();
    document = { bytes, etag: `"${digest}"` };
    this.#documents.set(key, document);
    return document;
  }

  #refresh(): void {
    if (this.#generation === this.#definitions.generation) return;
    this.#generation = this.#definitions.generation;
    this.#documents.clear();
    this.#v3 = undefined;
  }
}
