import { badRequest } from '../../api/errors.ts';
import { type DeepReadonly, type KubeObject, parseAPIVersion } from '../../api/object.ts';
import { yamlSteps } from '../../api/object-text.ts';
import {
  type IncludeObject,
  partialMetadata,
  printerFor,
  renderTable,
  type TableOptions,
} from '../../api/printers/index.ts';
import { PROTOBUF_TYPE } from '../../api/protobuf/index.ts';
import { inTurns } from '../../base/steps.ts';
import type { Answer } from '../registry/answer.ts';
import type { Negotiated } from '../request/negotiate.ts';
import type { Query } from '../request/query.ts';
import { writeListText } from './list-text.ts';
import { writeList, writeProtobufList } from './list-writer.ts';
import type { LoopTurns } from './loop-turns.ts';
import { entryBody } from './protobuf.ts';
import { headers, type Response, type ResponseHead, sendBytes, sendJSON, sendObject } from './response.ts';

/** Writes what the registry answers in the form that was negotiated. */
export async function writeAnswer(
  response: Response,
  answer: Answer,
  wanted: Negotiated,
  table: TableOptions,
  head: ResponseHead,
  turns: LoopTurns,
): Promise<void> {
  // The client has its answer: that time was up.
  if (response.headersSent) return;
  if (answer.kind === 'object') {
    const object = wanted.as === 'Table' ? tableOf(answer.object, table) : answer.object;
    return sendObject(response, answer.code, object, wanted, head);
  }
  if (answer.kind === 'list') {
    const { list } = answer;
    if (wanted.as === '' && wanted.encoding === 'json' && !head.pretty) return writeList(response, list, head, turns);
    if (wanted.encoding === 'protobuf') return writeProtobufList(response, list, wanted, head, turns);
    return writeListText(response, list, wanted, table, head, turns);
  }
  const { entry, definition, code } = answer;
  if (wanted.as === 'Table') {
    const metadata = { resourceVersion: entry.object.metadata.resourceVersion };
    const rendered = renderTable(definition, [entry.object], metadata, table);
    return sendObject(response, code, { ...rendered }, wanted, head);
  }
  if (wanted.as !== '') return sendObject(response, code, partialMetadata(entry.object, wanted.version), wanted, head);
  if (wanted.encoding === 'json' && !head.pretty) return sendJSON(response, code, entry.bytes, head);
  if (wanted.encoding === 'protobuf')
    return sendBytes(response, code, headers(head, PROTOBUF_TYPE), entryBody(entry, definition), head);
  if (wanted.encoding !== 'yaml') return sendObject(response, code, entry.object, wanted, head);
  const text = await inTurns(yamlSteps(entry.object), YAML_SLICE_MS);
  if (!response.headersSent) sendBytes(response, code, headers(head, 'application/yaml'), [Buffer.from(text)], head);
}

/** How long YAML is written in one turn. */
const YAML_SLICE_MS = 5;

/** How tables are to be made. Throws BadRequest. */
export function tableOptions(query: Query, wanted: Negotiated, nowMs: number): TableOptions {
  const include = query.get('includeObject') || 'Metadata';
  if (wanted.as === 'Table' && !['None', 'Metadata', 'Object'].includes(include)) {
    throw badRequest(
      `Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(include)}: must be 'Metadata', 'Object', 'None', or empty`,
    );
  }
  return { includeObject: include as IncludeObject, nowMs, version: wanted.version };
}

/** The table of an object that is not stored; the object itself when its kind has no columns, as a Status has none. */
function tableOf(object: DeepReadonly<Record<string, unknown>>, options: TableOptions): Record<string, unknown> {
  const { apiVersion, kind, metadata } = object as DeepReadonly<KubeObject>;
  const printer = printerFor(parseAPIVersion(apiVersion).group, kind);
  if (printer === undefined) return object;
  const { resourceVersion } = metadata;
  return { ...renderTable({ printer }, [object as DeepReadonly<KubeObject>], { resourceVersion }, options) };
}
