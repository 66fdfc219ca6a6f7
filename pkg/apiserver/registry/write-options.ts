import { badRequest, type FieldError, invalid } from '../../api/errors.ts';
import { builtinSchema } from '../../api/schema/builtin.ts';
import { cannotHandle, decodeObject } from '../../api/schema/codec.ts';
import { Decoder } from '../../api/schema/decode.ts';
import { DecodeError } from '../../api/schema/decode-error.ts';
import { cloneJSON } from '../../base/json.ts';
import type { FieldValidation } from '../object-engine.ts';
import type { RequestContext } from '../request/request-context.ts';

const MANAGER_MAX_LENGTH = 128;

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
  const dryRun = query.all('dryRun').filter((value) => value !== '');
  checkDryRun(dryRun, errors);
  const manager = query.get('fieldManager');
  if (manager.length > MANAGER_MAX_LENGTH) {
    errors.push({
      type: 'FieldValueTooLong',
      field: 'fieldManager',
      message: `Too long: may not be more than ${MANAGER_MAX_LENGTH} bytes`,
    });
  } else if (!/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]*$/u.test(manager)) {
    errors.push({
      type: 'FieldValueInvalid',
      field: 'fieldManager',
      message: `Invalid value: ${JSON.stringify(manager)}: should only contain printable characters`,
    });
  }
  const fieldValidation = query.get('fieldValidation') || 'Warn';
  if (fieldValidation !== 'Ignore' && fieldValidation !== 'Warn' && fieldValidation !== 'Strict') {
    errors.push({
      type: 'FieldValueNotSupported',
      field: 'fieldValidation',
      message: `Unsupported value: ${JSON.stringify(fieldValidation)}: supported values: "", "Ignore", "Warn", "Strict"`,
    });
  }
  if (kind === 'PatchOptions' && !apply && query.has('force')) {
    errors.push({
      type: 'FieldValueForbidden',
      field: 'force',
      message: 'Forbidden: may not be specified for non-apply patch',
    });
  }
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind }, '', errors);
  return {
    dryRun: dryRun.length > 0,
    fieldManager: manager || (apply ? '' : context.defaultFieldManager),
    fieldValidation: fieldValidation as FieldValidation,
    force: query.flag('force'),
  };
}

export function checkDryRun(values: readonly unknown[], errors: FieldError[]): void {
  if (values.every((value) => value === 'All')) return;
  const shown = values.map((value) => JSON.stringify(value)).join(', ');
  errors.push({
    type: 'FieldValueNotSupported',
    field: 'dryRun',
    message: `Unsupported value: [${shown}]: supported values: "All"`,
  });
}

/** Merges the query's and the body's DeleteOptions (the body wins) and checks them. */
export function parseDeleteOptions(context: RequestContext, body: unknown): Record<string, unknown> {
  const { query } = context;
  let options: Record<string, unknown>;
  if (body !== undefined && body !== null) {
    if (typeof body !== 'object' || Array.isArray(body)) {
      throw badRequest('the body of a delete request must be a DeleteOptions object');
    }
    const { kind } = body as { kind?: unknown };
    if (typeof kind === 'string' && kind !== '' && kind !== 'DeleteOptions') {
      throw badRequest(`decoded object cannot be converted to DeleteOptions: it is a ${kind}`);
    }
    options = decodeDeleteOptions(body);
  } else {
    options = {};
    const seconds = query.integer('gracePeriodSeconds');
    if (seconds !== undefined) options['gracePeriodSeconds'] = seconds;
    if (query.has('orphanDependents')) options['orphanDependents'] = query.flag('orphanDependents');
    if (query.get('propagationPolicy')) options['propagationPolicy'] = query.get('propagationPolicy');
    const dryRun = query.all('dryRun').filter((value) => value !== '');
    if (dryRun.length > 0) options['dryRun'] = dryRun;
  }
  checkDeleteOptions(options);
  return options;
}

function decodeDeleteOptions(body: object): Record<string, unknown> {
  try {
    // Copying recurses: what nests too deep is refused first.
    new Decoder().skip(body, 0);
    return { ...decodeObject(builtinSchema('meta.v1.DeleteOptions'), cloneJSON(body) as JSONObject, IGNORE).object };
  } catch (error) {
    if (error instanceof DecodeError) throw cannotHandle('DeleteOptions', 'v1', 'DeleteOptions', error.message);
    throw error;
  }
}

type JSONObject = Record<string, unknown>;
const IGNORE = { mode: 'ignore' } as const;

function checkDeleteOptions(options: Record<string, unknown>): void {
  const errors: FieldError[] = [];
  const { propagationPolicy, orphanDependents, dryRun = [] } = options;
  if (propagationPolicy !== undefined && orphanDependents !== undefined && orphanDependents !== null) {
    errors.push({
      type: 'FieldValueInvalid',
      field: 'propagationPolicy',
      message: `Invalid value: ${JSON.stringify(propagationPolicy)}: orphanDependents and deletionPropagation cannot be both set`,
    });
  }
  if (propagationPolicy !== undefined && !['Background', 'Foreground', 'Orphan'].includes(String(propagationPolicy))) {
    errors.push({
      type: 'FieldValueNotSupported',
      field: 'propagationPolicy',
      message: `Unsupported value: ${JSON.stringify(propagationPolicy)}: supported values: "Foreground", "Background", "Orphan", "nil"`,
    });
  }
  checkDryRun(Array.isArray(dryRun) ? dryRun : [dryRun], errors);
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', errors);
}
