import { Buffer } from 'node:buffer';
import { X509Certificate } from 'node:crypto';
import { type DeepReadonly, equalJSON } from '../../base/json.ts';
import type { CertificateSigningRequest } from '../generated/types.ts';
import { certificateRequestError } from '../validation/certificate-request.ts';
import * as field from '../validation/field-error.ts';
import { goQuote } from '../validation/go-format.ts';
import { pemBlocks } from '../validation/pem.ts';
import { validateSignerName } from './signer-name-validation.ts';

type Object = DeepReadonly<CertificateSigningRequest>;
type Conditions = NonNullable<NonNullable<Object['status']>['conditions']>;
type FieldError = field.FieldError;

const minExpirationSeconds = 600;
const legacySigner = 'kubernetes.io/legacy-unknown';
const conditionsPath = 'status.conditions';
const statuses = ['False', 'True', 'Unknown'];
const usages: readonly string[] = [
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
];

/** `old` is what the object was before an update: what was wrong in it already is not judged again. */
export function validateRequest(request: Object, old?: Object): FieldError[] {
  const { spec } = request;
  const errors: FieldError[] = [];
  const wrong = certificateRequestError(decode(spec?.request));
  if (wrong !== undefined) errors.push(field.invalid('spec.request', spec?.request ?? '', wrong));
  errors.push(...validateUsages(spec?.usages ?? [], old?.spec?.usages ?? []));
  const signer = spec?.signerName;
  if (signer === legacySigner && old?.spec?.signerName !== legacySigner) {
    const detail = 'the legacy signerName is not allowed via this API version';
    errors.push(field.invalid('spec.signerName', signer, detail));
  } else errors.push(...validateSignerName(signer, 'spec.signerName'));
  const seconds = spec?.expirationSeconds;
  if (typeof seconds === 'number' && seconds < minExpirationSeconds) {
    const detail = `may not specify a duration less than ${minExpirationSeconds} seconds (10 minutes)`;
    errors.push(field.invalid('spec.expirationSeconds', seconds, detail));
  }
  errors.push(...validateConditions(request.status?.conditions ?? [], old?.status?.conditions ?? []));
  const certificate = request.status?.certificate;
  const before = old?.status?.certificate;
  const tolerated = old !== undefined && (certificate === before || certificateError(before) !== undefined);
  const bad = tolerated ? undefined : certificateError(certificate);
  if (bad !== undefined) errors.push(field.invalid('status.certificate', '<certificate data>', bad));
  return errors;
}

function decode(base64: string | undefined): string {
  return Buffer.from(base64 ?? '', 'base64').toString('latin1');
}

function validateUsages(list: readonly string[], old: readonly string[]): FieldError[] {
  const errors: FieldError[] = list.length === 0 ? [field.required('spec.usages')] : [];
  if (old.every((usage) => usages.includes(usage))) {
    for (let i = 0; i < list.length; i++) {
      const usage = list[i] ?? '';
      if (!usages.includes(usage)) errors.push(field.notSupported(`spec.usages[${i}]`, usage, usages));
    }
  }
  if (new Set(old).size < old.length) return errors;
  for (let i = 0; i < list.length; i++) {
    if (list.indexOf(list[i] ?? '') < i) errors.push(field.duplicate(`spec.usages[${i}]`, list[i]));
  }
  return errors;
}

function validateConditions(conditions: Conditions, old: Conditions): FieldError[] {
  const errors: FieldError[] = [];
  const oldTypes = old.map(({ type }) => type ?? '');
  const wasBoth = oldTypes.includes('Approved') && oldTypes.includes('Denied');
  const hadDuplicates = new Set(oldTypes).size < oldTypes.length;
  const seen = new Set<string>();
  for (let i = 0; i < conditions.length; i++) {
    const { type = '', status = '' } = conditions[i] ?? {};
    const path = `${conditionsPath}[${i}]`;
    if (type === '' && !oldTypes.includes('')) errors.push(field.required(`${path}.type`));
    const allowed = type === 'Approved' || type === 'Denied' || type === 'Failed' ? ['True'] : statuses;
    if (status === '') errors.push(field.required(`${path}.status`));
    else if (!allowed.includes(status)) errors.push(field.notSupported(`${path}.status`, status, allowed));
    const opposite = type === 'Approved' ? 'Denied' : type === 'Denied' ? 'Approved' : undefined;
    if (opposite !== undefined && seen.has(opposite) && !wasBoth) {
      const detail = 'Approved and Denied conditions are mutually exclusive';
      errors.push(field.invalid(conditionsPath, type, detail));
    }
    if (seen.has(type) && !hadDuplicates) errors.push(field.duplicate(`${path}.type`, type));
    seen.add(type);
  }
  return errors;
}

/** What is wrong with the PEM of an issued certificate and its chain. */
function certificateError(base64: string | undefined): string | undefined {
  if (!base64) return undefined;
  const blocks = pemBlocks(decode(base64));
  for (const { type, hasHeaders, der } of blocks) {
    if (type !== 'CERTIFICATE') return `only CERTIFICATE PEM blocks are allowed, found ${goQuote(type)}`;
    if (hasHeaders) return 'no PEM block headers are permitted';
    if (der.length === 0) return 'found CERTIFICATE PEM block containing 0 certificates';
    if (!isCertificate(der)) return 'x509: malformed certificate';
  }
  return blocks.length === 0 ? 'must contain at least one CERTIFICATE PEM block' : undefined;
}

function isCertificate(der: Buffer): boolean {
  try {
    return new X509Certificate(der).raw.length === der.length;
  } catch {
    return false;
  }
}

/** What an update may do depends on the subresource: `approval` decides, `status` issues. */
export function validateRequestUpdate(request: Object, old: Object, subresource: string): FieldError[] {
  const errors = validateRequest(request, old);
  const now = (type: string): Conditions => ofType(request, type);
  const before = (type: string): Conditions => ofType(old, type);
  const refuse = (verb: string, type: string): void => {
    errors.push(field.forbidden(conditionsPath, `updates may not ${verb} a condition of type "${type}"`));
  };
  for (const type of ['Approved', 'Denied', 'Failed']) {
    if (now(type).length < before(type).length) refuse('remove', type);
  }
  for (const type of subresource === 'approval' ? [] : ['Approved', 'Denied']) {
    if (now(type).length > before(type).length) refuse('add', type);
    else if (now(type).length === before(type).length && !equalJSON(now(type), before(type))) refuse('modify', type);
  }
  const [certificate, oldCertificate] = [request.status?.certificate ?? '', old.status?.certificate ?? ''];
  if (certificate !== oldCertificate) {
    const path = 'status.certificate';
    if (subresource !== 'status') errors.push(field.forbidden(path, 'updates may not set certificate content'));
    else if (oldCertificate !== '') {
      errors.push(field.forbidden(path, 'updates may not modify existing certificate content'));
    }
  }
  return errors;
}

function ofType(request: Object, type: string): Conditions {
  return (request.status?.conditions ?? []).filter((condition) => condition.type === type);
}
