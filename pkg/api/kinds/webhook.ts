/** Webhook configurations of admissionregistration.k8s.io. */
import type { DeepReadonly } from '../../base/json.ts';
import type { Strategy } from '../definition.ts';
import type { MutatingWebhook, MutatingWebhookConfiguration, RuleWithOperations } from '../generated/types.ts';
import * as field from '../validation/field-error.ts';
import { validateLabelSelector } from '../validation/label-selector.ts';
import { isDNS1035Label, isDNS1123Subdomain } from '../validation/names.ts';
import { checkName, oneOf, portNumber } from '../validation/values.ts';
import { childObject, defaultPointer, dropZero, isZero } from './shape.ts';

type Webhook = DeepReadonly<MutatingWebhook>;

const operations = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'];
const scopes = ['*', 'Cluster', 'Namespaced'];
const maxTimeoutSeconds = 30;

export const mutatingWebhookStrategy = webhooks(true);
export const validatingWebhookStrategy = webhooks(false);

function webhooks(mutating: boolean): Strategy {
  const validate = (object: unknown): field.FieldError[] => {
    const errors: field.FieldError[] = [];
    const names = new Set<string>();
    const list = (object as DeepReadonly<MutatingWebhookConfiguration>).webhooks ?? [];
    for (let i = 0; i < list.length; i++) {
      const webhook = list[i];
      if (!webhook) continue;
      errors.push(...validateWebhook(webhook, mutating, `webhooks[${i}]`));
      if (names.has(webhook.name)) errors.push(field.duplicate(`webhooks[${i}].name`, webhook.name));
      names.add(webhook.name);
    }
    return errors;
  };
  return {
    default(object) {
      dropZero(object, ['webhooks']);
      for (const webhook of (object as unknown as MutatingWebhookConfiguration).webhooks ?? []) {
        defaultWebhook(webhook, mutating);
      }
    },
    validate,
    validateUpdate: validate,
    allowUnconditionalUpdate: false,
  };
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

function validateWebhook(webhook: Webhook, mutating: boolean, path: string): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const name = webhook.name ?? '';
  if (name === '') errors.push(field.required(`${path}.name`));
  else {
    errors.push(...checkName(isDNS1123Subdomain, name, `${path}.name`));
    if (name.split('.').length < 3) {
      const detail = 'should be a domain with at least three segments separated by dots';
      errors.push(field.invalid(`${path}.name`, name, detail));
    }
  }
  errors.push(...validateReviewVersions(webhook.admissionReviewVersions, `${path}.admissionReviewVersions`));
  const rules = webhook.rules ?? [];
  for (let i = 0; i < rules.length; i++) errors.push(...validateRule(rules[i] ?? {}, `${path}.rules[${i}]`));
  const choices = [
    ['failurePolicy', ['Fail', 'Ignore']],
    ['matchPolicy', ['Equivalent', 'Exact']],
  ] as const;
  for (const [key, supported] of choices) {
    if (webhook[key] !== undefined) errors.push(...oneOf(webhook[key], supported, `${path}.${key}`));
  }
  errors.push(...oneOf(webhook.sideEffects, ['None', 'NoneOnDryRun'], `${path}.sideEffects`));
  if (mutating && webhook.reinvocationPolicy !== undefined) {
    errors.push(...oneOf(webhook.reinvocationPolicy, ['IfNeeded', 'Never'], `${path}.reinvocationPolicy`));
  }
  const timeout = webhook.timeoutSeconds;
  if (typeof timeout === 'number' && (timeout < 1 || timeout > maxTimeoutSeconds)) {
    const detail = `the timeout value must be between 1 and ${maxTimeoutSeconds} seconds`;
    errors.push(field.invalid(`${path}.timeoutSeconds`, timeout, detail));
  }
  errors.push(...validateLabelSelector(webhook.namespaceSelector, `${path}.namespaceSelector`));
  errors.push(...validateLabelSelector(webhook.objectSelector, `${path}.objectSelector`));
  errors.push(...validateClientConfig(webhook.clientConfig, `${path}.clientConfig`));
  return errors;
}

function validateReviewVersions(versions: readonly string[] | undefined, path: string): field.FieldError[] {
  const list = versions ?? [];
  if (list.length === 0) return [field.required(path, 'must specify one of v1, v1beta1')];
  const errors: field.FieldError[] = [];
  const seen = new Set<string>();
  for (let i = 0; i < list.length; i++) {
    const version = list[i] ?? '';
    if (seen.has(version)) errors.push(field.invalid(`${path}[${i}]`, version, 'duplicate version'));
    seen.add(version);
    errors.push(...checkName(isDNS1035Label, version, `${path}[${i}]`));
  }
  if (!seen.has('v1') && !seen.has('v1beta1')) {
    errors.push(field.invalid(path, list, 'must include at least one of v1, v1beta1'));
  }
  return errors;
}

/** Checks `url` or `service` of a webhook; shared with CRD conversion. */
export function validateClientConfig(config: Webhook['clientConfig'] | undefined, path: string): field.FieldError[] {
  const { url, service } = config ?? {};
  if ((url === undefined) === (service === undefined || service === null)) {
    return [field.required(path, 'exactly one of url or service is required')];
  }
  if (typeof url === 'string') return validateURL(url, `${path}.url`);
  const errors: field.FieldError[] = [];
  if (!service?.name) errors.push(field.required(`${path}.service.name`, 'service name is required'));
  if (!service?.namespace) errors.push(field.required(`${path}.service.namespace`, 'service namespace is required'));
  if (service?.port !== undefined && portNumber(service.port, '').length > 0) {
    const detail = 'port is not valid: must be between 1 and 65535, inclusive';
    errors.push(field.invalid(`${path}.service.port`, service.port, detail));
  }
  const at = service?.path;
  if (at !== undefined && at !== '' && !at.startsWith('/')) {
    errors.push(field.invalid(`${path}.service.path`, at, 'must start with a `/`'));
  }
  return errors;
}

function validateURL(url: string, path: string): field.FieldError[] {
  if (!URL.canParse(url)) {
    const detail = 'url must be a valid URL: parse error; desired format: https://host[/path]';
    return [field.required(path, detail)];
  }
  const parsed = new URL(url);
  const errors: field.FieldError[] = [];
  const format = '; desired format: https://host[/path]';
  if (parsed.protocol !== 'https:') {
    const scheme = parsed.protocol.slice(0, -1);
    errors.push(field.invalid(path, scheme, `'https' is the only allowed URL scheme${format}`));
  }
  if (parsed.hostname === '') errors.push(field.invalid(path, '', `host must be specified${format}`));
  if (parsed.username !== '' || parsed.password !== '') {
    errors.push(field.invalid(path, parsed.username, 'user information is not permitted in the URL'));
  }
  if (parsed.hash !== '')
    errors.push(field.invalid(path, parsed.hash.slice(1), 'fragments are not permitted in the URL'));
  if (parsed.search !== '') {
    errors.push(field.invalid(path, parsed.search.slice(1), 'query parameters are not permitted in the URL'));
  }
  return errors;
}

function validateRule(rule: DeepReadonly<RuleWithOperations>, path: string): field.FieldError[] {
  const errors: field.FieldError[] = [];
  const verbs = rule.operations ?? [];
  if (verbs.length === 0) errors.push(field.required(`${path}.operations`));
  if (verbs.length > 1 && verbs.includes('*')) {
    errors.push(field.invalid(`${path}.operations`, verbs, "if '*' is present, must not specify other operations"));
  }
  for (let i = 0; i < verbs.length; i++) {
    const verb = verbs[i] ?? '';
    if (!operations.includes(verb)) errors.push(field.notSupported(`${path}.operations[${i}]`, verb, operations));
  }
  for (const [key, what] of [
    ['apiGroups', 'API groups'],
    ['apiVersions', 'API versions'],
  ] as const) {
    const list = rule[key] ?? [];
    if (list.length === 0) errors.push(field.required(`${path}.${key}`));
    if (list.length > 1 && list.includes('*')) {
      errors.push(field.invalid(`${path}.${key}`, list, `if '*' is present, must not specify other ${what}`));
    }
    if (key === 'apiVersions') {
      for (let i = 0; i < list.length; i++) if (list[i] === '') errors.push(field.required(`${path}.${key}[${i}]`));
    }
  }
  errors.push(...validateResources(rule.resources ?? [], `${path}.resources`));
  if (rule.scope !== undefined && !scopes.includes(rule.scope)) {
    errors.push(field.notSupported(`${path}.scope`, rule.scope, scopes));
  }
  return errors;
}

function validateResources(resources: readonly string[], path: string): field.FieldError[] {
  if (isZero(resources)) return [field.required(path)];
  const errors: field.FieldError[] = [];
  if (resources.length > 1 && resources.includes('*/*')) {
    errors.push(field.invalid(path, resources, "if '*/*' is present, must not specify other resources"));
  }
  const all = new Set(resources.filter((name) => name.endsWith('/*')).map((name) => name.slice(0, -2)));
  for (let i = 0; i < resources.length; i++) {
    const name = resources[i] ?? '';
    if (name === '') errors.push(field.required(`${path}[${i}]`));
    if (name === '*/*') continue;
    const [resource = '', subresource] = name.split('/');
    if (subresource !== undefined && subresource !== '*' && all.has(resource)) {
      const detail = `if '${resource}/*' is present, must not specify ${name}`;
      errors.push(field.invalid(`${path}[${i}]`, name, detail));
    }
  }
  return errors;
}
