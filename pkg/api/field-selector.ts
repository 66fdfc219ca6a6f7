import { badRequest } from './errors.ts';

export interface FieldRequirement {
  readonly field: string;
  readonly equal: boolean;
  readonly value: string;
}

export type FieldSelector = readonly FieldRequirement[];

/** Parses a fieldSelector query parameter; throws BadRequest. Which fields a resource allows is for the caller to check. */
export function parseFieldSelector(text: string): FieldSelector {
  return splitTerms(text)
    .filter((term) => term !== '')
    .map((term) => parseTerm(text, term));
}

/** Whether fields are as the selector has them; `fieldOf` gives '' for what is absent. */
export function matchesFields(selector: FieldSelector, fieldOf: (field: string) => string): boolean {
  for (const { field, equal, value } of selector) if ((fieldOf(field) === value) !== equal) return false;
  return true;
}

/** The value that the selector pins a field to, if it does. */
export function pinnedValue(selector: FieldSelector, field: string): string | undefined {
  return selector.find((requirement) => requirement.field === field && requirement.equal)?.value;
}

/** The value at a dotted path as text; '' for what is absent and for objects. */
export function fieldValue(object: unknown, path: string): string {
  let value: unknown = object;
  for (const part of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return '';
    value = (value as Record<string, unknown>)[part];
  }
  return value === null || typeof value === 'object' || value === undefined ? '' : String(value);
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
        throw badRequest(`invalid field selector: invalid escape sequence: \\${next ?? ''}`);
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
