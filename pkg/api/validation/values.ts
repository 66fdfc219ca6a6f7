import { isIP } from 'node:net';
import { equalJSON } from '../../base/json.ts';
import * as field from './field-error.ts';
import { legacyIPTexts } from './ip.ts';
import {
  isDNS1123Subdomain,
  isHTTPPath,
  isPercent,
  isValidPortName,
  isValidPortNumber,
  type NameCheck,
} from './names.ts';

type FieldError = field.FieldError;

export const negativeText = 'must be greater than or equal to 0';
export const immutableText = 'field is immutable';

export function checkName(check: NameCheck, value: string | undefined, path: string): FieldError[] {
  const text = value ?? '';
  return check(text).map((detail) => field.invalid(path, text, detail));
}

export function nonNegative(value: number | undefined | null, path: string): FieldError[] {
  return typeof value === 'number' && value < 0 ? [field.invalid(path, value, negativeText)] : [];
}

export function immutable(value: unknown, old: unknown, path: string): FieldError[] {
  return equalJSON(value ?? null, old ?? null) ? [] : [field.invalid(path, value ?? null, immutableText)];
}

/** Reports a value that is not one of `supported`; the absent one as required. */
export function oneOf(value: string | undefined, supported: readonly string[], path: string): FieldError[] {
  if (!value) return [field.required(path)];
  return supported.includes(value) ? [] : [field.notSupported(path, value, supported)];
}

/** As `oneOf`, but an absent value is reported as unsupported. */
export function supportedValue(value: string | undefined, supported: readonly string[], path: string): FieldError[] {
  return supported.includes(value ?? '') ? [] : [field.notSupported(path, value ?? '', supported)];
}

type IntOrString = number | string | undefined | null;

/** A whole number of at least 0, or a percentage. */
export function intOrPercent(value: IntOrString, path: string): FieldError[] {
  if (typeof value === 'string') {
    return isPercent(value).map((text) => field.invalid(path, value, text));
  }
  return nonNegative(value, path);
}

export function notMoreThan100Percent(value: IntOrString, path: string): FieldError[] {
  const percent = percentOf(value);
  return percent !== undefined && percent > 100 ? [field.invalid(path, value, 'must not be greater than 100%')] : [];
}

/** The number of a percentage, undefined for other values. */
export function percentOf(value: IntOrString): number | undefined {
  return typeof value === 'string' && isPercent(value).length === 0 ? Number(value.slice(0, -1)) : undefined;
}

/** The number of an IntOrString; percentages count as they are. */
export function intOrPercentValue(value: IntOrString): number {
  return typeof value === 'number' ? value : (percentOf(value) ?? 0);
}

export function portNumber(port: number | undefined, path: string): FieldError[] {
  return isValidPortNumber(port ?? 0).map((text) => field.invalid(path, port ?? 0, text));
}

/** `domain.example/path`; what is wrong is said of the part that is. */
export function domainPrefixedPath(value: string, path: string): FieldError[] {
  if (value === '') return [field.required(path)];
  const slash = value.indexOf('/');
  if (slash <= 0 || slash === value.length - 1) {
    return [field.invalid(path, value, 'must be a domain-prefixed path (such as "acme.io/foo")')];
  }
  const rest = value.slice(slash + 1);
  return [...checkName(isDNS1123Subdomain, value.slice(0, slash), path), ...checkName(isHTTPPath, rest, path)];
}

/** A port number, or the name of a container port. */
export function portNumOrName(port: IntOrString, path: string): FieldError[] {
  if (typeof port !== 'string') return portNumber(port ?? 0, path);
  return isValidPortName(port).map((text) => field.invalid(path, port, text));
}

/** What is wrong with an IP address of a field that need not be canonical, but unambiguous. */
export function ipAddress(value: string | undefined, path: string): FieldError[] {
  const text = value ?? '';
  return legacyIPTexts(text).map((detail) => field.invalid(path, text, detail));
}

/** True for `address/bits`. */
export function isCIDR(value: string): boolean {
  const slash = value.indexOf('/');
  if (slash < 0) return false;
  const version = isIP(value.slice(0, slash));
  const bits = value.slice(slash + 1);
  return version !== 0 && /^(0|[1-9]\d{0,2})$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128);
}

export function isAbsolutePath(path: string): boolean {
  return path.startsWith('/');
}

/** No `..` between slashes. */
export function noBacksteps(value: string, path: string): FieldError[] {
  return value.split('/').includes('..') ? [field.invalid(path, value, "must not contain '..'")] : [];
}

/** A path below some directory: relative, without `..`, and without a file name that starts with `..`. */
export function localDescendingPath(value: string, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (isAbsolutePath(value)) errors.push(field.invalid(path, value, 'must be a relative path'));
  errors.push(...noBacksteps(value, path));
  return errors;
}

/** As `localDescendingPath`; the first part may not start with `..` either. */
export function localNonReservedPath(value: string, path: string): FieldError[] {
  const errors = localDescendingPath(value, path);
  if (value.startsWith('..') && !value.startsWith('../')) {
    errors.push(field.invalid(path, value, "must not start with '..'"));
  }
  return errors;
}
