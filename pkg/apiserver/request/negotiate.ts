import { newStatus, StatusError } from '../../api/errors.ts';
import { type MediaRange, mediaRanges } from '../../api/media-ranges.ts';
import { PROTOBUF_TYPE } from '../../api/protobuf/index.ts';

export type Encoding = 'json' | 'yaml' | 'protobuf';

/** What the client wants to see: in which encoding, and as which kind of object. */
export interface Negotiated {
  readonly encoding: Encoding;
  /** `as` of the chosen clause: '' (the object itself), Table, PartialObjectMetadata, PartialObjectMetadataList, ... */
  readonly as: string;
  readonly group: string;
  readonly version: string;
}

export const ACCEPTED = 'application/json, application/yaml, application/vnd.kubernetes.protobuf';
/** Of a watch: YAML has no form of a stream. */
const ACCEPTED_STREAMS = 'application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch';
const PLAIN: Negotiated = { encoding: 'json', as: '', group: '', version: '' };
const META_VERSIONS = ['v1', 'v1beta1'];

export interface AnswerForms {
  /** Whether the answer has a form in protobuf when it is seen `as` this; absent: it has none. */
  readonly protobuf?: (as: string) => boolean;
  /** The answer is a watch. */
  readonly stream?: boolean;
  /** The media types that upstream's router knows of the path; absent: it is not asked (custom resources, errors). */
  readonly routed?: string;
}

/** The representations of a collection, which can be watched too. */
export const ROUTED_COLLECTION = `${ACCEPTED}, ${ACCEPTED_STREAMS}`;

/** Throws NotAcceptable when the Accept header names no representation that the router knows. */
export function checkRoute(accept: string | undefined, routed: string): void {
  if (accept !== undefined && accept !== '') requireRoute(clauses(accept), routed);
}

function requireRoute(wanted: readonly Clause[], routed: string): void {
  const known = new Set(['*/*', ...routed.split(', ')]);
  if (wanted.some(({ type }) => known.has(type))) return;
  const text = `406: Not Acceptable\n\nAvailable representations: ${routed}`;
  throw new StatusError(newStatus(406, 'NotAcceptable', text, {}));
}

/** Chooses from an Accept header; `possible` tells which `as` there are. Throws NotAcceptable. */
export function negotiate(
  accept: string | undefined,
  possible: (as: string, group: string, version: string) => boolean,
  { protobuf, stream = false, routed }: AnswerForms = {},
): Negotiated {
  if (accept === undefined || accept === '' || accept === '*/*' || accept === 'application/json') return PLAIN;
  const wanted = clauses(accept);
  if (routed !== undefined) requireRoute(wanted, routed);
  let accepted = ACCEPTED;
  for (const clause of wanted) {
    const { encoding, parameters } = clause;
    if (encoding === undefined) continue;
    if (encoding === 'yaml' && stream) {
      accepted = ACCEPTED_STREAMS;
      break;
    }
    const as = parameters.get('as') ?? '';
    if (encoding === 'protobuf' && protobuf?.(as) !== true) continue;
    const group = parameters.get('g') ?? '';
    const version = parameters.get('v') ?? '';
    if (as === '' && group === '' && version === '') return { encoding, as, group, version };
    if (possible(as, group, version)) return { encoding, as, group, version };
  }
  throw new StatusError(newStatus(406, 'NotAcceptable', `only the following media types are accepted: ${accepted}`));
}

/** The views of meta.k8s.io that a resource has for an answer to this verb. What can only be created, as reviews, has no table. */
export function metaTransform(
  verb: string,
  verbs: readonly string[],
): (as: string, group: string, version: string) => boolean {
  const table = verbs.includes('get');
  const partial =
    verb === 'list' || verb === 'deletecollection' ? 'PartialObjectMetadataList' : 'PartialObjectMetadata';
  return (as, group, version) =>
    group === 'meta.k8s.io' && META_VERSIONS.includes(version) && ((table && as === 'Table') || as === partial);
}

/** The media types of an Accept header, the most wanted first. */
export function acceptedTypes(accept: string): string[] {
  return mediaRanges(accept).map(({ type }) => type);
}

interface Clause extends MediaRange {
  readonly encoding: Encoding | undefined;
}

function clauses(accept: string): Clause[] {
  return mediaRanges(accept).map((range) => ({ ...range, encoding: encodingOf(range.type.toLowerCase()) }));
}

function encodingOf(type: string): Encoding | undefined {
  switch (type) {
    case '*/*':
    case 'application/*':
    case 'application/json':
      return 'json';
    case 'application/yaml':
      return 'yaml';
    case PROTOBUF_TYPE:
      return 'protobuf';
    default:
      return undefined;
  }
}
