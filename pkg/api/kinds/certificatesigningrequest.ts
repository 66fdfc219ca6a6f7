import { Buffer } from 'node:buffer';
import { cloneJSON, type DeepReadonly, equalJSON } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { CertificateSigningRequest } from '../generated/types.ts';
import { formatTime } from '../time.ts';
import * as field from '../validation/field-error.ts';
import { isDNS1123Subdomain } from '../validation/names.ts';
import { childObject, dropZero, isZero } from './shape.ts';

type Object = DeepReadonly<CertificateSigningRequest>;

const minExpirationSeconds = 600;
const identityFields = ['username', 'uid', 'groups', 'extra'] as const;
const usages = new Set([
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
]);

/** CSRs. Who asks is taken from the request, never from the body. */
export const certificateSigningRequestStrategy: Strategy = {
  default(object) {
    dropZero(childObject(object, 'spec'), ['usages', 'groups', 'extra', 'username', 'uid']);
    childObject(object, 'status');
  },
  prepareForCreate(object, { user }) {
    const { spec } = object as unknown as CertificateSigningRequest;
    for (const name of identityFields) delete spec[name];
    if (user) {
      const { username, uid, groups, extra } = user;
      if (username) spec.username = username;
      if (uid) spec.uid = uid;
      if (groups && groups.length > 0) spec.groups = [...groups];
      if (extra && !isZero(extra)) spec.extra = cloneJSON(extra) as Record<string, string[]>;
    }
    object.status = {};
  },
  prepareForUpdate(object, old, { subresource, nowMs }) {
    const request = object as unknown as CertificateSigningRequest;
    const before = old as unknown as Object;
    request.spec = cloneJSON(before.spec) as CertificateSigningRequest['spec'];
    if (subresource === 'approval' || subresource === 'status') stampConditions(request, before, nowMs);
    if (subresource !== 'approval') return;
    const status = { ...cloneJSON(before.status ?? {}) };
    if (request.status?.conditions) status.conditions = request.status.conditions;
    else delete status.conditions;
    request.status = status;
  },
  validate: (object) => validateSpec(object as unknown as Object),
  validateUpdate: (object, old, { subresource }) =>
    validateUpdate(object as unknown as Object, old as unknown as Object, subresource),
  selectableFields: (object) => ({ 'spec.signerName': (object as unknown as Object).spec?.signerName ?? '' }),
};

function stampConditions(request: CertificateSigningRequest, old: Object, nowMs: number): void {
  const now = formatTime(nowMs);
  for (const condition of request.status?.conditions ?? []) {
    if (!condition.lastUpdateTime) condition.lastUpdateTime = now;
    if (condition.lastTransitionTime) continue;
    const before = old.status?.conditions?.find((one) => one.type === condition.type);
    const same = before !== undefined && before.status === condition.status;
    condition.lastTransitionTime = (same && before.lastTransitionTime) || now;
  }
}

function validateSpec(request: Object): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const { spec } = request;
  if (!isCertificateRequest(spec?.request ?? '')) {
    const detail = 'PEM block type must be CERTIFICATE REQUEST';
    errors.push(field.invalid('spec.request', spec?.request ?? '', detail));
  }
  const list = spec?.usages ?? [];
  if (list.length === 0) errors.push(field.required('spec.usages'));
  const seen = new Set<string>();
  for (let i = 0; i < list.length; i++) {
    const usage = list[i] ?? '';
    if (!usages.has(usage)) errors.push(field.notSupported(`spec.usages[${i}]`, usage, [...usages]));
    if (seen.has(usage)) errors.push(field.duplicate(`spec.usages[${i}]`, usage));
    seen.add(usage);
  }
  if (!spec?.signerName) errors.push(field.required('spec.signerName'));
  else errors.push(...validateSignerName(spec.signerName, 'spec.signerName'));
  const seconds = spec?.expirationSeconds;
  if (typeof seconds === 'number' && seconds < minExpirationSeconds) {
    const detail = `may not specify a duration less than ${minExpirationSeconds} seconds (10 minutes)`;
    errors.push(field.invalid('spec.expirationSeconds', seconds, detail));
  }
  return errors;
}

function isCertificateRequest(base64: string): boolean {
  const text = Buffer.from(base64, 'base64').toString('latin1');
  return /-----BEGIN (NEW )?CERTIFICATE REQUEST-----[\s\S]+-----END (NEW )?CERTIFICATE REQUEST-----/.test(text);
}

function isCertificate(base64: string): boolean {
  return Buffer.from(base64, 'base64').toString('latin1').includes('-----BEGIN CERTIFICATE-----');
}

function validateSignerName(name: string, path: string): field.FieldError[] {
  const segments = name.split('/');
  if (segments.length !== 2) {
    const detail = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
    return [field.invalid(path, name, detail)];
  }
  const [domain = '', signer = ''] = segments;
  const errors = isDNS1123Subdomain(domain).map((text) =>
    field.invalid(path, name, `validating label "${domain}": ${text}`),
  );
  if (!domain.includes('.'))
    errors.push(field.invalid(path, name, 'should be a domain with at least two segments separated by dots'));
  if (signer === '')
    errors.push(
      field.invalid(path, name, "must be a fully qualified domain and path of the form 'example.com/signer-name'"),
    );
  return errors;
}

function validateUpdate(request: Object, old: Object, subresource: string): field.FieldError[] {
  const errors: field.FieldError[] = [];
  if (!equalJSON(request.spec, old.spec)) errors.push(field.invalid('spec', request.spec, 'field is immutable'));
  if (subresource === '') return errors;
  const conditions = request.status?.conditions ?? [];
  const types = new Set<string>();
  for (let i = 0; i < conditions.length; i++) {
    const { type = '', status = '' } = conditions[i] ?? {};
    const path = `status.conditions[${i}]`;
    if (type === '') errors.push(field.required(`${path}.type`));
    if (types.has(type)) errors.push(field.duplicate(`${path}.type`, type));
    types.add(type);
    if (!['True', 'False', 'Unknown'].includes(status)) {
      errors.push(field.notSupported(`${path}.status`, status, ['True', 'False', 'Unknown']));
    } else if ((type === 'Approved' || type === 'Denied' || type === 'Failed') && status !== 'True') {
      errors.push(field.notSupported(`${path}.status`, status, ['True']));
    }
  }
  if (types.has('Approved') && types.has('Denied')) {
    errors.push(
      field.invalid('status.conditions', conditions, 'Approved and Denied conditions are mutually exclusive'),
    );
  }
  for (const type of ['Approved', 'Denied']) {
    const had = old.status?.conditions?.some((condition) => condition.type === type) === true;
    if (had !== types.has(type) && (had || subresource === 'status')) {
      const verb = had ? 'removed' : 'added';
      errors.push(
        field.forbidden(
          'status.conditions',
          `updates may not ${verb === 'removed' ? 'remove' : 'add'} a condition of type "${type}"`,
        ),
      );
    }
  }
  const certificate = request.status?.certificate;
  if (
    subresource === 'status' &&
    certificate &&
    certificate !== old.status?.certificate &&
    !isCertificate(certificate)
  ) {
    const detail = 'must contain at least one CERTIFICATE PEM block';
    errors.push(field.invalid('status.certificate', '<certificate data>', detail));
  }
  if (subresource === 'status' && old.status?.certificate && request.status?.certificate !== old.status.certificate) {
    errors.push(field.forbidden('status.certificate', 'updates may not modify existing certificate content'));
  }
  return errors;
}
