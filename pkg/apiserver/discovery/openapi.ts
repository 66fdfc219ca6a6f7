import { createHash } from 'node:crypto';
import {
  type Describe,
  inTurns,
  type OpenAPINode,
  OpenAPIv3,
  openAPIv2ProtobufSteps,
  openAPIv2Steps,
  openAPIv3ProtobufSteps,
} from '../../api/openapi/index.ts';
import { API_VERSION } from '../../api/version.ts';
import type { Logger } from '../../base/logger.ts';
import { mergeOpenAPI } from '../aggregation/openapi-part.ts';
import type { RemoteDescription, RemoteDiscovery } from '../aggregation/remote-discovery.ts';
import type { RemoteService } from '../aggregation/remote-services.ts';
import type { Definitions } from '../definitions.ts';
import type { PathHandler } from '../http/request-handler.ts';
import { type Headers, headers, sendBytes, sendObject, sendText } from '../http/response.ts';
import { acceptedTypes } from '../request/negotiate.ts';
import { unavailable } from '../services/service-endpoint.ts';

type OpenAPIVersion = 'v2' | 'v3';

const PROTOBUF: Readonly<Record<OpenAPIVersion, string>> = {
  v2: 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf',
  v3: 'application/com.github.proto-openapi.spec.v3.v1.0+protobuf',
};
/** How older clients ask for them. They cannot parse these in an answer: `@` is no character of a media type. */
const PROTOBUF_OLD: Readonly<Record<OpenAPIVersion, string>> = {
  v2: 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf',
  v3: 'application/com.github.proto-openapi.spec.v3@v1.0+protobuf',
};

interface Document {
  readonly bytes: Buffer;
  readonly etag: string;
}

export interface OpenAPIDeps {
  readonly definitions: Definitions;
  readonly describe: Describe;
  /** What other servers serve. */
  readonly remote?: RemoteDiscovery;
  readonly logger: Logger;
}

/** /openapi/v2 and /openapi/v3, as JSON or protobuf; documents are made when first asked for, anew when definitions change. */
export function openAPIHandler(deps: OpenAPIDeps): PathHandler {
  const documents = new OpenAPIDocuments(deps);
  return async ({ context, request, response, head }) => {
    const { path } = context.info;
    const isV2 = path === '/openapi/v2';
    if (!isV2 && path !== '/openapi/v3' && !path.startsWith('/openapi/v3/')) return false;
    if (path === '/openapi/v3') {
      sendObject(response, 200, documents.index(), { encoding: 'json' }, head);
      return true;
    }
    const version = isV2 ? 'v2' : 'v3';
    const form = formOf(request.headers.accept, version);
    if (form === undefined) {
      sendText(response, 406, '', head);
      return true;
    }
    const protobuf = form === 'protobuf';
    const document = isV2
      ? await documents.v2(protobuf)
      : await documents.group(path.slice('/openapi/v3/'.length), protobuf, context.signal);
    if (document === undefined) return false;
    const hash = document.etag.slice(1, -1);
    const asked = context.query.get('hash');
    if (!isV2 && asked !== '' && asked !== hash) {
      response.setHeader('Location', `${path}?hash=${hash}`);
      sendText(response, 301, '', head);
      return true;
    }
    const fields: Headers = {
      ...headers(head, protobuf ? PROTOBUF[version] : 'application/json'),
      ETag: document.etag,
      Vary: 'Accept',
    };
    if (asked === hash) {
      fields['Cache-Control'] = 'public, immutable';
      fields['Expires'] = new Date(Date.now() + YEAR_MS).toUTCString();
    }
    if (request.headers['if-none-match'] === document.etag) response.writeHead(304, fields).end();
    else sendBytes(response, 200, fields, [document.bytes], head);
    return true;
  };
}

const YEAR_MS = 365 * 24 * 3600 * 1000;

/** The most wanted form of an Accept header that there is; undefined: none. */
function formOf(accept: string | undefined, version: OpenAPIVersion): 'json' | 'protobuf' | undefined {
  if (accept === undefined || accept === '') return 'json';
  for (const type of acceptedTypes(accept)) {
    if (type === PROTOBUF[version] || type === PROTOBUF_OLD[version]) return 'protobuf';
    if (type === 'application/json' || type === 'application/*' || type === '*/*') return 'json';
  }
  return undefined;
}

function documentOf(made: Uint8Array, hash?: string): Document {
  const bytes = Buffer.from(made.buffer, made.byteOffset, made.byteLength);
  const digest = hash ?? createHash('sha512').update(bytes).digest('hex').toUpperCase();
  return { bytes, etag: `"${digest}"` };
}

/** How long one turn of the event loop may go on with a document. */
const SLICE_MS = 5;

async function encodeV2(document: OpenAPINode, protobuf: boolean): Promise<Uint8Array> {
  if (protobuf) return inTurns(openAPIv2ProtobufSteps(document), SLICE_MS);
  return Buffer.from(JSON.stringify(document));
}

/** Both forms of a version 3 document have the tag of its JSON: `?hash=` must fit either. */
async function v3ProtobufOf({ bytes, etag }: Document): Promise<Document> {
  const node = JSON.parse(bytes.toString()) as OpenAPINode;
  return documentOf(await inTurns(openAPIv3ProtobufSteps(node), SLICE_MS), etag.slice(1, -1));
}

/** What another server says of itself may be anything. */
async function remoteV3ProtobufOf(document: Document): Promise<Document> {
  try {
    return await v3ProtobufOf(document);
  } catch (error) {
    throw unavailable(error instanceof Error ? error.message : String(error));
  }
}

class OpenAPIDocuments {
  readonly #definitions: Definitions;
  readonly #remote: RemoteDiscovery | undefined;
  readonly #logger: Logger;
  readonly #options: { readonly version: string; readonly describe: Describe };
  readonly #documents = new Map<string, Document>();
  readonly #making = new Map<string, Promise<Document>>();
  #generation = -1;
  #v3: OpenAPIv3 | undefined;

  constructor({ definitions, describe, remote, logger }: OpenAPIDeps) {
    this.#definitions = definitions;
    this.#remote = remote;
    this.#logger = logger;
    this.#options = { version: API_VERSION, describe };
  }

  /** The index of the version 3 documents, those of other servers among them. */
  index(): unknown {
    const index = this.v3().index() as { readonly paths: Readonly<Record<string, unknown>> };
    const paths = { ...index.paths };
    for (const { remote, description } of this.#remotes()) {
      const serverRelativeURL = description.openAPIv3;
      const path = `apis/${remote.group}/${remote.version}`;
      if (serverRelativeURL === undefined) delete paths[path];
      else paths[path] = { serverRelativeURL };
    }
    return { ...index, paths };
  }

  v3(): OpenAPIv3 {
    this.#refresh();
    this.#v3 ??= new OpenAPIv3([...this.#definitions.all()], this.#options);
    return this.#v3;
  }

  *#remotes(): Iterable<{ readonly remote: RemoteService; readonly description: RemoteDescription }> {
    if (this.#remote === undefined) return;
    for (const remote of this.#remote.all()) yield { remote, description: this.#remote.of(remote) };
  }

  /** All that is served in one document takes long enough to make that others must have their turns. */
  v2(protobuf: boolean): Promise<Document> {
    this.#refresh();
    return this.#shared(protobuf ? 'v2.protobuf' : 'v2', () => this.#makeV2(protobuf));
  }

  /** A document made once for all who ask for it, and kept while what it describes does not change. */
  async #shared(key: string, make: () => Promise<Document>): Promise<Document> {
    const generation = this.#generation;
    const known = this.#documents.get(key) ?? this.#making.get(key);
    if (known !== undefined) return known;
    const making = make();
    this.#making.set(key, making);
    try {
      const document = await making;
      if (this.#generation === generation) this.#documents.set(key, document);
      return document;
    } finally {
      if (this.#making.get(key) === making) this.#making.delete(key);
    }
  }

  async #makeV2(protobuf: boolean): Promise<Document> {
    const own = await inTurns(openAPIv2Steps([...this.#definitions.all()], this.#options), SLICE_MS);
    let document = own;
    for (const { description } of this.#remotes())
      if (description.openAPIv2 !== undefined) document = mergeOpenAPI(document, description.openAPIv2);
    try {
      return documentOf(await encodeV2(document, protobuf));
    } catch (error) {
      if (document === own) throw error;
      // What another server says of itself may be anything.
      this.#logger.warn({ err: error }, 'OpenAPI documents of aggregated servers are left out');
      return documentOf(await encodeV2(own, protobuf));
    }
  }

  /** The version 3 document of `apis/GROUP/VERSION`; undefined without one. Throws ServiceUnavailable as its server does. */
  async group(path: string, protobuf: boolean, signal: AbortSignal): Promise<Document | undefined> {
    const elsewhere = await this.#remote?.openAPIv3Document(path, signal);
    if (elsewhere !== undefined) {
      if (elsewhere.code !== 200) return undefined;
      const document = documentOf(elsewhere.body);
      return protobuf ? remoteV3ProtobufOf(document) : document;
    }
    const json = this.#ownGroup(path);
    if (!protobuf || json === undefined) return json;
    return this.#shared(`v3.protobuf/${path}`, () => v3ProtobufOf(json));
  }

  #ownGroup(path: string): Document | undefined {
    const key = `v3/${path}`;
    const v3 = this.v3();
    const known = this.#documents.get(key);
    if (known !== undefined) return known;
    const made = v3.document(path);
    if (made === undefined) return undefined;
    const document = documentOf(made, v3.hash(path));
    this.#documents.set(key, document);
    return document;
  }

  #refresh(): void {
    const generation = this.#definitions.generation + (this.#remote?.generation ?? 0);
    if (this.#generation === generation) return;
    this.#generation = generation;
    this.#documents.clear();
    this.#making.clear();
    this.#v3 = undefined;
  }
}
