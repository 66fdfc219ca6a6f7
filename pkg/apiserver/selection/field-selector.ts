import type { ResourceDefinition } from '../../api/definition.ts';
import { badRequest } from '../../api/errors.ts';
import type { DeepReadonly, KubeObject } from '../../api/object.ts';

export interface FieldRequirement {
  readonly field: string;
  readonly equal: boolean;
  readonly value: string;
}

export type FieldSelector = readonly FieldRequirement[];

/** Parses the fieldSelector query parameter and checks its fields against what the resource allows; throws BadRequest. */
export function parseFieldSelector(definition: ResourceDefinition, text: string): FieldSelector {
  const requirements: FieldRequirement[] = [];
  for (const term of splitTerms(text)) {
    if (term === '') continue;
    const requirement = parseTerm(text, term);
    if (
      requirement.field !== 'metadata.name' &&
      !(requirement.field === 'metadata.namespace' && (definition.type.namespaced || definition.custom !== true)) &&
      !definition.selectableFields.includes(requirement.field)
    ) {
      const { kind } = definition.type;
      throw badRequest(
        definition.type.group === ''
          ? `field label not supported: ${requirement.field}`
          : `${JSON.stringify(requirement.field)} is not a known field selector: only "metadata.name", "metadata.namespace"${definition.selectableFields.length > 0 && kind !== '' ? `, ${definition.selectableFields.map((field) => JSON.stringify(field)).join(', ')}` : ''}`,
      );
    }
    requirements.push(requirement);
  }
  return requirements;
}

export function matchesFields(
  definition: ResourceDefinition,
  selector: FieldSelector,
  object: DeepReadonly<KubeObject>,
): boolean {
  let fields: Readonly<Record<string, string>> | undefined;
  for (const { field, equal, value } of selector) {
    let actual: string;
    if (field === 'metadata.name') actual = object.metadata.name;
    else if (field === 'metadata.namespace') actual = object.metadata.namespace ?? '';
    else {
      fields ??= definition.strategy.selectableFields?.(object) ?? {};
      actual = fields[field] ?? valueAt(object, field);
    }
    if ((actual === value) !== equal) return false;
  }
  return true;
}

/** The value that the selector pins a field to, if it does. */
export function pinnedValue(selector: FieldSelector, field: string): string | undefined {
  return selector.find((requirement) => requirement.field === field && requirement.equal)?.value;
}

function valueAt(object: DeepReadonly<KubeObject>, path: string): string {
  let value: unknown = object;
  for (const part of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return '';
    value = (value as Record<string, unknown>)[part];
  }
  return typeof value === 'object' || value === undefined ? '' : String(value);
}

function splitTerms(text: string): string[] {
  const terms: string[] = [];
  let term = '';
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (char === '\\') {
      term += char + (text[++i] ?? '');
    } else if (char === ',') {
      terms.push(term);
      term = '';
    } else {
      term += char;
    }
  }
  terms.push(term);
  return terms;
}

function parseTerm(whole: string, term: string): FieldRequirement {
  for (let i = 0; i < term.length; i++) {
    if (term[i] === '\\') {
      i++;
      continue;
    }
    for (const operator of ['!=', '==', '=']) {
      if (!term.startsWith(operator, i)) continue;
      const value = unescapeValue(term.slice(i + operator.length));
      return { field: term.slice(0, i), equal: operator !== '!=', value };
    }
  }
  throw badRequest(`invalid selector: '${whole}'; can't understand '${term}'`);
}

function unescapeValue(value: string): string {
  let text = '';
  for (let i = 0; i < value.length; i++) {
    const char = value[i] ?? '';
    if (char === '\\') {
      const next = value[++i];
      if (next !== '\\' && next !== ',' && next !== '=') {
        throw badRequest(`invalid field selector: invalid escape sequence in value: \\${next ?? ''}`);
      }
      text += next;
    } else if (char === '=' || char === ',') {
      throw badRequest(`invalid field selector: unescaped character in value: ${char.charCodeAt(0)}`);
    } else {
      text += char;
    }
  }
  return text;
}
