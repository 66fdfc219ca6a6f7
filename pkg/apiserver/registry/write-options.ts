import { badRequest, type FieldError, invalid } from '../../api/errors.ts';
import { builtinSchema } from '../../api/schema/builtin.ts';
import { decodeObject } from '../../api/schema/codec.ts';
import { Decoder } from '../../api/schema/decode.ts';
import { DecodeError } from '../../api/schema/decode-error.ts';
import * as field from '../../api/validation/field-error.ts';
import { goQuote } from '../../api/validation/go-format.ts';
import { cloneJSON } from '../../base/json.ts';
import type { FieldValidation } from '../object-engine.ts';
import type { Query } from '../request/query.ts';
import type { RequestContext } from '../request/request-context.ts';

const MANAGER_MAX_BYTES = 128;

export interface WriteOptions {
  readonly dryRun: boolean;
  readonly fieldManager: string;
  readonly fieldValidation: FieldValidation;
  readonly force: boolean;
}

type OptionsKind = 'CreateOptions' | 'UpdateOptions' | 'PatchOptions';

/** The options that writes carry in their query. Throws Invalid. */
export function parseWriteOptions(context: RequestContext, kind: OptionsKind, apply = false): WriteOptions {
  const { query } = context;
  const errors: FieldError[] = [];
  const dryRun = query.all('dryRun');
  const manager = query.get('fieldManager');
  const fieldValidation = query.get('fieldValidation');
  if (apply && manager === '') errors.push(field.required('fieldManager', 'is required for apply patch'));
  if (kind === 'PatchOptions' && !apply && query.has('force')) {
    errors.push(field.forbidden('force', 'may not be specified for non-apply patch'));
  }
  checkFieldManager(manager, errors);
  checkDryRun(dryRun, errors);
  if (!FIELD_VALIDATIONS.includes(fieldValidation)) {
    errors.push(field.notSupported('fieldValidation', fieldValidation, FIELD_VALIDATIONS));
  }
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind }, '', errors);
  return {
    dryRun: dryRun.length > 0,
    fieldManager: manager || context.defaultFieldManager,
    fieldValidation: (fieldValidation || 'Warn') as FieldValidation,
    force: query.flag('force'),
  };
}

const FIELD_VALIDATIONS: readonly string[] = ['', 'Ignore', 'Strict', 'Warn'];
/** Go's unicode.IsPrint. */
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

function checkFieldManager(manager: string, errors: FieldError[]): void {
  if (Buffer.byteLength(manager) > MANAGER_MAX_BYTES) errors.push(field.tooLong('fieldManager', MANAGER_MAX_BYTES));
  let position = 0;
  for (const character of manager) {
    if (!PRINTABLE.test(character)) {
      const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
      errors.push(field.invalid('fieldManager', manager, `invalid character U+${code} (at position ${position})`));
    }
    position += Buffer.byteLength(character);
  }
}

function checkDryRun(values: readonly unknown[], errors: FieldError[]): void {
  if (!values.every((value) => value === 'All')) errors.push(field.notSupported('dryRun', values, ['All']));
}

/** DeleteOptions from the body, or, without one (undefined), from the query. Throws BadRequest, Invalid. */
export function parseDeleteOptions({ query }: Pick<RequestContext, 'query'>, body: unknown): Record<string, unknown> {
  const options = body === undefined ? queryDeleteOptions(query) : decodeDeleteOptions(body);
  checkDeleteOptions(options);
  return options;
}

function queryDeleteOptions(query: Query): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  const seconds = query.integer('gracePeriodSeconds');
  if (seconds !== undefined) options['gracePeriodSeconds'] = seconds;
  if (query.has('orphanDependents')) options['orphanDependents'] = query.flag('orphanDependents');
  if (query.has('propagationPolicy')) options['propagationPolicy'] = query.get('propagationPolicy');
  const dryRun = query.all('dryRun');
  if (dryRun.length > 0) options['dryRun'] = dryRun;
  const [uid, resourceVersion] = [query.get('uid'), query.get('resourceVersion')];
  if (uid !== '' || resourceVersion !== '') {
    options['preconditions'] = { ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) };
  }
  return options;
}

function decodeDeleteOptions(body: unknown): Record<string, unknown> {
  if (body === null) return {};
  if (typeof body !== 'object' || Array.isArray(body)) {
    const found = Array.isArray(body) ? 'array' : typeof body === 'boolean' ? 'bool' : typeof body;
    throw badRequest(
      `couldn't get version/kind; json parse error: json: cannot unmarshal ${found} into Go value of type ${VERSION_AND_KIND}`,
    );
  }
  const { kind, apiVersion } = body as { kind?: unknown; apiVersion?: unknown };
  if (typeof kind === 'string' && kind !== '' && kind !== 'DeleteOptions') {
    const version = goQuote(typeof apiVersion === 'string' ? apiVersion : '');
    throw badRequest(`no kind ${goQuote(kind)} is registered for version ${version} in scheme "${META_SCHEME}"`);
  }
  try {
    // Copying recurses: what nests too deep is refused first.
    new Decoder().skip(body, 0);
    return { ...decodeObject(builtinSchema('meta.v1.DeleteOptions'), cloneJSON(body) as JSONObject, IGNORE).object };
  } catch (error) {
    if (error instanceof DecodeError) throw badRequest(error.message);
    throw error;
  }
}

/** As upstream's messages name where kinds are known, and what is read first of a body. */
const META_SCHEME = 'k8s.io/apimachinery/pkg/apis/meta/internalversion/scheme/register.go:27';
const VERSION_AND_KIND =
  'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';

type JSONObject = Record<string, unknown>;
const IGNORE = { mode: 'ignore' } as const;

function checkDeleteOptions(options: Record<string, unknown>): void {
  const errors: FieldError[] = [];
  const { propagationPolicy, orphanDependents, dryRun = [] } = options;
  if (propagationPolicy !== undefined && orphanDependents !== undefined && orphanDependents !== null) {
    const detail = 'orphanDependents and deletionPropagation cannot be both set';
    errors.push(field.invalid('propagationPolicy', propagationPolicy, detail));
  }
  if (propagationPolicy !== undefined && !['Background', 'Foreground', 'Orphan'].includes(String(propagationPolicy))) {
    errors.push(field.notSupported('propagationPolicy', propagationPolicy, POLICIES));
  }
  checkDryRun(Array.isArray(dryRun) ? dryRun : [dryRun], errors);
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', errors);
}

const POLICIES = ['Foreground', 'Background', 'Orphan', 'nil'];
