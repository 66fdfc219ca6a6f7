import { Buffer } from 'node:buffer';
import { X509Certificate } from 'node:crypto';
import type { DeepReadonly } from '../../base/json.ts';
import type { CustomResourceConversion } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { isDNS1035Label } from '../validation/names.ts';
import { pemBlocks } from '../validation/pem.ts';
import { checkName, oneOf } from '../validation/values.ts';
import { validateClientConfig } from './webhook-client-config.ts';

type Conversion = DeepReadonly<CustomResourceConversion> | undefined;

const path = 'spec.conversion';
const reviewVersions = ['v1', 'v1beta1'];

/** What an update finds: mistakes that were there before are tolerated. */
interface Before {
  readonly conversion: Conversion;
  readonly established: boolean;
}

/** How objects get from one version to another. Reported are the fields that the internal version has. */
export function validateConversion(conversion: Conversion, before?: Before): field.FieldError[] {
  const { strategy, webhook } = conversion ?? {};
  const errors = oneOf(strategy, ['None', 'Webhook'], `${path}.strategy`);
  const versions = webhook?.conversionReviewVersions ?? [];
  if (strategy !== 'Webhook') {
    const detail = 'should not be set when strategy is not set to Webhook';
    if (webhook?.clientConfig) errors.push(field.forbidden(`${path}.webhookClientConfig`, detail));
    if (versions.length > 0) errors.push(field.forbidden(`${path}.conversionReviewVersions`, detail));
    return errors;
  }
  if (!webhook?.clientConfig) {
    errors.push(field.required(`${path}.webhookClientConfig`, 'required when strategy is set to Webhook'));
  } else {
    errors.push(...validateClientConfig(webhook.clientConfig, `${path}.webhookClientConfig`));
    const { caBundle } = webhook.clientConfig;
    if (caBundle && !mayHaveBadBundle(before) && !hasCertificates(caBundle)) {
      const detail = 'data does not contain any valid RSA or ECDSA certificates';
      errors.push(field.invalid(`${path}.webhookClientConfig.caBundle`, caBundle, detail));
    }
  }
  return [...errors, ...validateReviewVersions(versions, before?.conversion)];
}

/** A definition may be made before the certificates of its webhook are. */
function mayHaveBadBundle(before: Before | undefined): boolean {
  if (before === undefined || !before.established) return true;
  const bundle = before.conversion?.webhook?.clientConfig?.caBundle;
  return !!bundle && !hasCertificates(bundle);
}

function hasCertificates(bundle: string): boolean {
  const blocks = pemBlocks(Buffer.from(bundle, 'base64').toString('latin1'));
  return blocks.some(({ type, der }) => {
    try {
      return type === 'CERTIFICATE' && new X509Certificate(der).raw.length > 0;
    } catch {
      return false;
    }
  });
}

function validateReviewVersions(versions: readonly string[], before: Conversion): field.FieldError[] {
  const at = `${path}.conversionReviewVersions`;
  if (versions.length === 0) return [field.required(at)];
  const errors = versions.flatMap((version, i) =>
    versions.indexOf(version) < i
      ? [field.invalid(`${at}[${i}]`, version, 'duplicate version')]
      : checkName(isDNS1035Label, version, `${at}[${i}]`),
  );
  const old = before?.webhook?.conversionReviewVersions ?? [];
  const wasUnknown = old.length > 0 && !hasKnownVersion(old);
  if (!hasKnownVersion(versions) && !wasUnknown) {
    errors.push(field.invalid(at, versions, `must include at least one of ${reviewVersions.join(', ')}`));
  }
  return errors;
}

function hasKnownVersion(versions: readonly string[]): boolean {
  return versions.some((version) => reviewVersions.includes(version));
}
