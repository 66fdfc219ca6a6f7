/** Webhook configurations of admissionregistration.k8s.io. */
import { type DeepReadonly, equalJSON } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { MutatingWebhook, MutatingWebhookConfiguration } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { validateLabelSelector } from '../validation/label-selector.ts';
import { isDNS1035Label, isDNS1123Subdomain } from '../validation/names.ts';
import { checkName } from '../validation/values.ts';
import { webhookExpressions } from './admission-expressions.ts';
import {
  failurePolicies,
  matchPolicies,
  reinvocationPolicies,
  validateMatchConditions,
  validateRule,
} from './admission-rule-validation.ts';
import { childObject, defaultPointer, dropZero } from './shape.ts';
import { validateClientConfig } from './webhook-client-config.ts';

type Webhook = DeepReadonly<MutatingWebhook>;
type Webhooks = readonly Webhook[];

const harmlessSideEffects = ['None', 'NoneOnDryRun'];
const allSideEffects = [...harmlessSideEffects, 'Some', 'Unknown'];
const reviewVersions = ['v1', 'v1beta1'];
const maxTimeoutSeconds = 30;

export const mutatingWebhookStrategy = webhooks(true);
export const validatingWebhookStrategy = webhooks(false);

function webhooks(mutating: boolean): Strategy {
  const listOf = (object: unknown): Webhooks => (object as DeepReadonly<MutatingWebhookConfiguration>).webhooks ?? [];
  return {
    default(object) {
      dropZero(object, ['webhooks']);
      for (const webhook of (object as unknown as MutatingWebhookConfiguration).webhooks ?? []) {
        defaultWebhook(webhook, mutating);
      }
    },
    validate: (object) => validateWebhooks(listOf(object), mutating, strict),
    validateUpdate: (object, old) =>
      validateWebhooks(listOf(object), mutating, demandsAfter(listOf(object), listOf(old))),
    validateLater: (object, old) => webhookExpressions(object, old),
    allowUnconditionalUpdate: false,
  };
}

/** Rules that an object which broke them before need not keep. */
interface Demands {
  readonly harmless: boolean;
  readonly knownVersions: boolean;
  readonly uniqueNames: boolean;
  readonly matchConditions: boolean;
}

const strict: Demands = { harmless: true, knownVersions: true, uniqueNames: true, matchConditions: true };

function demandsAfter(webhooks: Webhooks, old: Webhooks): Demands {
  const conditions = (list: Webhooks): unknown[] => list.map(({ matchConditions }) => matchConditions ?? []);
  return {
    harmless: old.every(({ sideEffects }) => harmlessSideEffects.includes(sideEffects ?? '')),
    knownVersions: old.every(
      ({ admissionReviewVersions: versions }) =>
        !versions?.length || versions.some((version) => reviewVersions.includes(version)),
    ),
    uniqueNames: new Set(old.map(({ name }) => name)).size === old.length,
    matchConditions: !equalJSON(conditions(webhooks), conditions(old)),
  };
}

function validateWebhooks(list: Webhooks, mutating: boolean, demands: Demands): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const names = new Set<string>();
  for (let i = 0; i < list.length; i++) {
    const webhook = list[i];
    if (!webhook) continue;
    const path = `webhooks[${i}]`;
    errors.push(...validateWebhook(webhook, mutating, demands, path));
    errors.push(...validateReviewVersions(webhook.admissionReviewVersions, demands, `${path}.admissionReviewVersions`));
    if (!demands.uniqueNames || !webhook.name) continue;
    if (names.has(webhook.name)) errors.push(field.duplicate(`${path}.name`, webhook.name));
    names.add(webhook.name);
  }
  return errors;
}

function defaultWebhook(webhook: MutatingWebhook, mutating: boolean): void {
  defaultPointer(webhook, 'failurePolicy', 'Fail');
  defaultPointer(webhook, 'matchPolicy', 'Equivalent');
  defaultPointer(webhook, 'timeoutSeconds', 10);
  childObject(webhook, 'namespaceSelector');
  childObject(webhook, 'objectSelector');
  if (mutating) defaultPointer(webhook, 'reinvocationPolicy', 'Never');
  for (const rule of webhook.rules ?? []) defaultPointer(rule, 'scope', '*');
  if (webhook.clientConfig?.service) defaultPointer(webhook.clientConfig.service, 'port', 443);
}

function validateWebhook(webhook: Webhook, mutating: boolean, demands: Demands, path: string): field.FieldError[] {
  const errors = validateName(webhook.name ?? '', `${path}.name`);
  const rules = webhook.rules ?? [];
  for (let i = 0; i < rules.length; i++) errors.push(...validateRule(rules[i] ?? {}, `${path}.rules[${i}]`));
  errors.push(...oneIfSet(webhook.failurePolicy, failurePolicies, `${path}.failurePolicy`));
  errors.push(...oneIfSet(webhook.matchPolicy, matchPolicies, `${path}.matchPolicy`));
  const sideEffects = demands.harmless ? harmlessSideEffects : allSideEffects;
  if (webhook.sideEffects === undefined || webhook.sideEffects === null) {
    errors.push(field.required(`${path}.sideEffects`, `must specify one of ${sideEffects.join(', ')}`));
  }
  errors.push(...oneIfSet(webhook.sideEffects, sideEffects, `${path}.sideEffects`));
  const timeout = webhook.timeoutSeconds;
  if (typeof timeout === 'number' && (timeout < 1 || timeout > maxTimeoutSeconds)) {
    const detail = `the timeout value must be between 1 and ${maxTimeoutSeconds} seconds`;
    errors.push(field.invalid(`${path}.timeoutSeconds`, timeout, detail));
  }
  errors.push(...validateLabelSelector(webhook.namespaceSelector, `${path}.namespaceSelector`));
  errors.push(...validateLabelSelector(webhook.objectSelector, `${path}.objectSelector`));
  if (mutating) {
    errors.push(...oneIfSet(webhook.reinvocationPolicy, reinvocationPolicies, `${path}.reinvocationPolicy`));
  }
  errors.push(...validateClientConfig(webhook.clientConfig, `${path}.clientConfig`));
  if (demands.matchConditions) {
    errors.push(...validateMatchConditions(webhook.matchConditions, `${path}.matchConditions`));
  }
  return errors;
}

/** A host name of at least three parts. */
function validateName(name: string, path: string): field.FieldError[] {
  if (name === '') return [field.required(path)];
  const wrong = isDNS1123Subdomain(name);
  if (wrong.length > 0) return [field.invalid(path, name, wrong.join(','))];
  if (name.split('.').length >= 3) return [];
  return [field.invalid(path, name, 'should be a domain with at least three segments separated by dots')];
}

function oneIfSet(value: string | undefined | null, supported: readonly string[], path: string): field.FieldError[] {
  if (value === undefined || value === null || supported.includes(value)) return [];
  return [field.notSupported(path, value, supported)];
}

function validateReviewVersions(
  versions: readonly string[] | undefined,
  demands: Demands,
  path: string,
): field.FieldError[] {
  const list = versions ?? [];
  if (list.length === 0) return [field.required(path, `must specify one of ${reviewVersions.join(', ')}`)];
  const errors: field.FieldError[] = [];
  for (let i = 0; i < list.length; i++) {
    const version = list[i] ?? '';
    if (list.indexOf(version) < i) errors.push(field.invalid(`${path}[${i}]`, version, 'duplicate version'));
    else errors.push(...checkName(isDNS1035Label, version, `${path}[${i}]`));
  }
  if (demands.knownVersions && !list.some((version) => reviewVersions.includes(version))) {
    errors.push(field.invalid(path, list, `must include at least one of ${reviewVersions.join(', ')}`));
  }
  return errors;
}
