import * as field from '../validation/field-error.ts';
import { isDNS1123Subdomain } from '../validation/names.ts';

const maxLength = 63;

/** The name of a CSI driver; letters of any case count as lower ones. What is absent is no subdomain either. */
export function validateDriverName(name: string | undefined, path: string): field.FieldError[] {
  const text = name ?? '';
  const errors: field.FieldError[] = [];
  if (text === '') errors.push(field.required(path));
  if (text.length > maxLength) errors.push(field.tooLong(path, maxLength));
  return [...errors, ...isDNS1123Subdomain(text.toLowerCase()).map((detail) => field.invalid(path, text, detail))];
}

/** The name of a driver of devices: as that of a CSI driver, but what is absent is only required. */
export function validateDeviceDriverName(name: string | undefined, path: string): field.FieldError[] {
  return name ? validateDriverName(name, path) : [field.required(path)];
}
