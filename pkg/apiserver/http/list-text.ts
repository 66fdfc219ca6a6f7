import type { ResourceDefinition } from '../../api/definition.ts';
import { apiVersionOf, type DeepReadonly, type KubeObject } from '../../api/object.ts';
import { yamlText } from '../../api/object-text.ts';
import { partialMetadata, renderTable, type TableOptions } from '../../api/printers/index.ts';
import type { ListResult } from '../registry/list.ts';
import type { Negotiated } from '../request/negotiate.ts';
import { listMetadata } from './list-metadata.ts';
import { BLOCK_BYTES, openSink, send } from './list-writer.ts';
import type { LoopTurns } from './loop-turns.ts';
import { headers, type Response, type ResponseHead, sendBytes } from './response.ts';

/** Rows are rendered so many at a time. */
const ROWS = 50;

/** A list without its elements, and the elements, made one after the other. */
interface ListValue {
  readonly envelope: Readonly<Record<string, unknown>>;
  readonly member: 'items' | 'rows';
  readonly elements: Iterable<unknown>;
}

/** How a list is put together from the texts of its elements. */
interface ListForm {
  readonly open: string;
  readonly between: string;
  readonly close: string;
  element(value: unknown): string;
}

/**
 * Writes a list in a form that has to be made for the request: as YAML, indented, as a table or reduced to metadata. Part by
 * part, so that a long one leaves the event loop free.
 */
export async function writeListText(
  response: Response,
  list: ListResult,
  wanted: Negotiated,
  table: TableOptions,
  head: ResponseHead,
  turns: LoopTurns,
): Promise<void> {
  const { envelope, member, elements } = listValue(list, wanted, table);
  const isYAML = wanted.encoding === 'yaml';
  const form = isYAML
    ? yamlForm(envelope, member)
    : head.pretty
      ? indented(envelope, member)
      : compact(envelope, member);
  const contentType = isYAML ? 'application/yaml' : 'application/json';
  let text = '';
  let sink: NodeJS.WritableStream | undefined;
  let isFirst = true;
  for (const element of elements) {
    text += `${isFirst ? form.open : form.between}${form.element(element)}`;
    isFirst = false;
    if (text.length >= BLOCK_BYTES) {
      sink ??= openSink(response, head, contentType);
      if (sink === undefined || !(await send(sink, response, Buffer.from(text), turns))) return;
      text = '';
    } else if (isYAML) await turns.next();
  }
  text += isFirst ? emptyList(envelope, member, isYAML, head.pretty) : form.close;
  if (sink === undefined) sendBytes(response, 200, headers(head, contentType), [Buffer.from(text)], head);
  else sink.end(text);
}

function listValue(list: ListResult, wanted: Negotiated, table: TableOptions): ListValue {
  const { definition, entries } = list;
  const metadata = listMetadata(list);
  const objects = entries.map((entry) => entry.object);
  if (wanted.as === 'Table') {
    const { rows: _, ...envelope } = renderTable(definition, [], metadata, table);
    return { envelope, member: 'rows', elements: rowsOf(definition, objects, table) };
  }
  const isWhole = wanted.as === '';
  const kind = isWhole ? definition.listKind : 'PartialObjectMetadataList';
  const apiVersion = isWhole ? apiVersionOf(definition.type) : `meta.k8s.io/${wanted.version}`;
  return { envelope: { kind, apiVersion, metadata }, member: 'items', elements: itemsOf(definition, objects, wanted) };
}

function* rowsOf(
  definition: ResourceDefinition,
  objects: readonly DeepReadonly<KubeObject>[],
  table: TableOptions,
): Generator<unknown> {
  for (let at = 0; at < objects.length; at += ROWS) {
    yield* renderTable(definition, objects.slice(at, at + ROWS), {}, table).rows;
  }
}

function* itemsOf(
  definition: ResourceDefinition,
  objects: readonly DeepReadonly<KubeObject>[],
  { as, version }: Negotiated,
): Generator<unknown> {
  for (const object of objects) {
    if (as !== '') yield partialMetadata(object, version);
    else if (definition.custom === true) yield object;
    else {
      const { kind: _kind, apiVersion: _apiVersion, ...rest } = object;
      yield rest;
    }
  }
}

function compact(envelope: ListValue['envelope'], member: string): ListForm {
  const open = `${JSON.stringify(envelope).slice(0, -1)},"${member}":[`;
  return { open, between: ',', close: ']}\n', element: (value) => JSON.stringify(value) };
}

function indented(envelope: ListValue['envelope'], member: string): ListForm {
  const open = `${JSON.stringify(envelope, undefined, 2).slice(0, -2)},\n  "${member}": [\n    `;
  // No text in JSON has a newline of its own.
  const element = (value: unknown): string => JSON.stringify(value, undefined, 2).replaceAll('\n', '\n    ');
  return { open, between: ',\n    ', close: '\n  ]\n}\n', element };
}

function yamlForm(envelope: ListValue['envelope'], member: string): ListForm {
  const open = `${yamlText(envelope)}${member}:\n`;
  const element = (value: unknown): string => yamlText({ items: [value] }).slice('items:\n'.length);
  return { open, between: '', close: '', element };
}

function emptyList(envelope: ListValue['envelope'], member: string, isYAML: boolean, pretty: boolean): string {
  const value = { ...envelope, [member]: [] };
  return isYAML ? yamlText(value) : `${JSON.stringify(value, undefined, pretty ? 2 : undefined)}\n`;
}
