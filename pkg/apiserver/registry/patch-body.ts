import { badRequest } from '../../api/errors.ts';
import { unknownOperationFields } from '../../api/patch/index.ts';
import { Decoder } from '../../api/schema/decode.ts';
import { DecodeError } from '../../api/schema/decode-error.ts';
import { mayHaveDuplicates, parseJSON, strictFindings } from '../../api/schema/json-text.ts';
import type { ReadYAML } from '../../api/schema/yaml-reader.ts';
import type { PatchKind } from '../../client/client.ts';
import type { FieldValidation, ObjectBody, ParsedPatch } from '../object-engine.ts';

/** Reads a patch as upstream does for its kind: the texts of what is no JSON differ, and so does what is found in it. */
export async function parsePatch(
  body: ObjectBody,
  kind: PatchKind,
  validation: FieldValidation,
  readYAML: ReadYAML,
): Promise<ParsedPatch> {
  const looks = validation !== 'Ignore';
  if (!('bytes' in body)) return { value: body.value, findings: [] };
  const text = body.bytes.toString();
  if (kind === 'apply') {
    const { value, duplicates } = await parseConfiguration(text, readYAML);
    return { value, findings: looks && duplicates.length > 0 ? [yamlErrors(duplicates)] : [] };
  }
  const value = parsePatchJSON(text, kind, looks);
  if (!looks) return { value, findings: [] };
  if (kind !== 'json') return { value, findings: duplicateFields(text, value) };
  return { value, findings: [...duplicateFields(text, value, 'json patch '), ...unknownOperationFields(value)] };
}

async function parseConfiguration(
  text: string,
  readYAML: ReadYAML,
): Promise<{ value: unknown; duplicates: readonly string[] }> {
  const { value, duplicates } = await readYAML(text).catch((error: unknown) => {
    throw error instanceof DecodeError ? badRequest(`error decoding YAML: ${error.message}`) : error;
  });
  // Nothing is a configuration without kind and version.
  if (value === null || value === undefined) return { value: {}, duplicates };
  if (typeof value === 'object' && !Array.isArray(value)) return { value, duplicates };
  const found = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
  throw badRequest(
    `error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${found} into Go value of type map[string]interface {}`,
  );
}

function yamlErrors(duplicates: readonly string[]): string {
  return `error converting YAML to JSON: yaml: unmarshal errors:\n  ${duplicates.join('\n  ')}`;
}

function parsePatchJSON(text: string, kind: PatchKind, looks: boolean): unknown {
  try {
    return parseJSON(text);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    if (kind === 'merge' && !looks) throw badRequest('Invalid JSON Patch');
    throw badRequest(kind !== 'strategic' && looks ? `error decoding patch: ${error.message}` : error.message);
  }
}

function duplicateFields(text: string, value: unknown, prefix = ''): string[] {
  const counter = new Decoder();
  try {
    counter.skip(value, 0);
  } catch (error) {
    if (error instanceof DecodeError) throw badRequest(`error decoding patch: ${error.message}`);
    throw error;
  }
  if (!mayHaveDuplicates(text, counter.members)) return [];
  return strictFindings(text, new Set()).map(({ path }) => `${prefix}duplicate field "${path}"`);
}
