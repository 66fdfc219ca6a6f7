import type { Expression } from '../../../api/admission/index.ts';
import { DurationError, parseDuration } from '../../../api/duration.ts';
import { isDNS1123Subdomain } from '../../../api/names.ts';
import { AUTHORIZATION_MODES, type AuthorizationMode, type ConfigNode } from '../../../config/index.ts';
import type { WebhookAuthorizerOptions } from './webhook-authorizer.ts';
import { WebhookConditions } from './webhook-conditions.ts';

export const AUTHORIZATION_VERSIONS = [
  'apiserver.config.k8s.io/v1',
  'apiserver.config.k8s.io/v1beta1',
  'apiserver.config.k8s.io/v1alpha1',
] as const;
export const AUTHORIZATION_KIND = 'AuthorizationConfiguration';

/** One authorizer of the chain, in order. */
export type AuthorizerSettings =
  | { readonly type: Exclude<AuthorizationMode, 'Webhook'> }
  | { readonly type: 'Webhook'; readonly options: WebhookAuthorizerOptions; readonly kubeconfig: string };

const MAX_TIMEOUT_MS = 30_000;
const AUTHORIZED_TTL_MS = 300_000;
const UNAUTHORIZED_TTL_MS = 30_000;

/** Reads an AuthorizationConfiguration. Throws ConfigError that names file, line and field. */
export async function readAuthorizationConfig(root: ConfigNode): Promise<readonly AuthorizerSettings[]> {
  root.onlyFields(['authorizers']);
  const node = root.field('authorizers');
  const items = node.items();
  if (items.length === 0) node.fail('at least one authorization mode must be defined');
  const types = new Set<string>();
  const names = new Set<string>();
  const conditions = await WebhookConditions.load();
  return items.map((item) => {
    item.onlyFields(['type', 'name', 'webhook']);
    const type = item.field('type').oneOf(AUTHORIZATION_MODES);
    if (type !== 'Webhook' && types.has(type)) item.field('type').fail(`Duplicate value: ${JSON.stringify(type)}`);
    types.add(type);
    const name = item.field('name').requiredString();
    const [problem] = isDNS1123Subdomain(name);
    if (problem !== undefined) item.field('name').fail(`Invalid value: ${JSON.stringify(name)}: ${problem}`);
    if (names.has(name)) item.field('name').fail(`Duplicate value: ${JSON.stringify(name)}`);
    names.add(name);
    const webhook = item.field('webhook');
    if (type === 'Webhook') return readWebhook(webhook, name, conditions);
    if (webhook.present) webhook.fail('may only be specified when type=Webhook');
    return { type };
  });
}

function readWebhook(node: ConfigNode, name: string, conditions: WebhookConditions): AuthorizerSettings {
  if (!node.present) node.fail('is required');
  node.onlyFields([
    'authorizedTTL',
    'cacheAuthorizedRequests',
    'unauthorizedTTL',
    'cacheUnauthorizedRequests',
    'timeout',
    'subjectAccessReviewVersion',
    'matchConditionSubjectAccessReviewVersion',
    'failurePolicy',
    'connectionInfo',
    'matchConditions',
  ]);
  const compiled = readConditions(node, conditions);
  const timeoutMs = duration(node.field('timeout')) ?? node.field('timeout').fail('is required');
  if (timeoutMs <= 0 || timeoutMs > MAX_TIMEOUT_MS) node.field('timeout').fail('must be > 0s and <= 30s');
  const ttl = (name: string, flag: string, usual: number): number => {
    const value = duration(node.field(name)) ?? usual;
    if (value <= 0) node.field(name).fail('must be > 0s');
    return node.field(flag).boolean(true) ? value : 0;
  };
  return {
    type: 'Webhook',
    kubeconfig: readConnection(node.field('connectionInfo')),
    options: {
      name,
      version: node.field('subjectAccessReviewVersion').oneOf(['v1', 'v1beta1']),
      timeoutMs,
      authorizedTTLMs: ttl('authorizedTTL', 'cacheAuthorizedRequests', AUTHORIZED_TTL_MS),
      unauthorizedTTLMs: ttl('unauthorizedTTL', 'cacheUnauthorizedRequests', UNAUTHORIZED_TTL_MS),
      failurePolicy: node.field('failurePolicy').oneOf(['NoOpinion', 'Deny']),
      conditions: compiled,
    },
  };
}

function readConnection(node: ConfigNode): string {
  node.onlyFields(['type', 'kubeConfigFile']);
  const file = node.field('kubeConfigFile');
  if (node.field('type').requiredString() === 'InClusterConfig')
    node.field('type').fail('InClusterConfig is not supported: the server is no pod; use KubeConfigFile');
  node.field('type').oneOf(['KubeConfigFile']);
  const path = file.requiredString();
  return path.startsWith('/') ? path : file.fail('must be an absolute path');
}

function readConditions(node: ConfigNode, conditions: WebhookConditions): readonly Expression[] {
  const items = node.field('matchConditions').items();
  const version = node.field('matchConditionSubjectAccessReviewVersion');
  if (items.length > 0) version.oneOf(['v1']);
  const texts = new Set<string>();
  return items.map((item) => {
    item.onlyFields(['expression']);
    const field = item.field('expression');
    const text = field.requiredString().trim();
    if (texts.has(text)) field.fail(`Duplicate value: ${JSON.stringify(text)}`);
    texts.add(text);
    const expression = conditions.compile(text);
    return expression.problem === undefined ? expression : field.fail(expression.problem);
  });
}

function duration(node: ConfigNode): number | undefined {
  const text = node.string();
  if (text === '') return undefined;
  try {
    return parseDuration(text);
  } catch (error) {
    if (!(error instanceof DurationError)) throw error;
    return node.fail(error.message);
  }
}
