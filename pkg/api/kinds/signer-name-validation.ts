import * as field from '../validation/field-error.ts';
import { goQuote } from '../validation/go-format.ts';
import { isDNS1123Label, isDNS1123Subdomain, type NameCheck } from '../validation/names.ts';

const maxDomainLength = 253;
const maxLength = maxDomainLength + 1 + (253 + 1 + 63);

/** `example.com/name`: a domain of at least two parts, and a path of names with dots. */
export function validateSignerName(name: string | undefined, path: string): field.FieldError[] {
  if (!name) return [field.required(path)];
  const segments = name.split('/');
  if (segments.length !== 2) {
    const detail = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
    return [field.invalid(path, name, detail)];
  }
  const [domain = '', signer = ''] = segments;
  const errors: field.FieldError[] = [];
  if (domain.length > maxDomainLength) errors.push(field.tooLong(path, maxDomainLength));
  errors.push(...firstBadLabel(domain, isDNS1123Label, path));
  if (!domain.includes('.')) {
    errors.push(field.invalid(path, domain, 'should be a domain with at least two segments separated by dots'));
  }
  errors.push(...firstBadLabel(signer, isDNS1123Subdomain, path));
  if (name.length > maxLength) errors.push(field.tooLong(path, maxLength));
  return errors;
}

function firstBadLabel(value: string, check: NameCheck, path: string): field.FieldError[] {
  for (const label of value.split('.')) {
    const wrong = check(label);
    if (wrong.length === 0) continue;
    return wrong.map((text) => field.invalid(path, value, `validating label ${goQuote(label)}: ${text}`));
  }
  return [];
}
