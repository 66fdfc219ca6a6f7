import { AuthorizerChain, alwaysAllow, alwaysDeny, privilegedGroups } from '../apiserver/authorization/index.ts';
import type { AuthorizerSettings } from '../apiserver/authorization/webhook/index.ts';
import type { Authorizer } from '../apiserver/index.ts';
import type { KubeconfigWebhook } from '../apiserver/webhooks/index.ts';
import type { Clock } from '../base/clock.ts';
import type { Component } from '../base/lifecycle.ts';
import type { Logger } from '../base/logger.ts';
import type { RestClientMetrics } from '../client/index.ts';
import { type AuthorizationOptions, ConfigError, parseConfigFile } from '../config/index.ts';
import { openWebhook, reloadedFile } from './authentication.ts';

export interface AuthorizationDeps {
  readonly node: Authorizer;
  readonly rbac: Authorizer;
  readonly requests: RestClientMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface Authorization {
  readonly authorizer: Authorizer;
  /** Takes up changes of the configuration file. */
  readonly parts: readonly Component[];
}

const WEBHOOK_TIMEOUT_MS = 30_000;

/** Everything that says what a user may do, as flags and files have it. Throws ConfigError. */
export async function createAuthorization(
  options: AuthorizationOptions,
  deps: AuthorizationDeps,
): Promise<Authorization> {
  const chain = new AuthorizerChain([privilegedGroups]);
  const file = options.configFile;
  let webhooks: readonly KubeconfigWebhook[] = [];
  const configure = async (setting: string, settings: readonly AuthorizerSettings[]): Promise<void> => {
    const made = await Promise.all(settings.map((one) => authorizerOf(setting, one, deps)));
    chain.configure([privilegedGroups, ...made.map(({ authorizer }) => authorizer)]);
    const before = webhooks;
    webhooks = made.flatMap(({ webhook }) => webhook ?? []);
    await Promise.all(before.map((webhook) => webhook.close()));
  };
  if (file === undefined) {
    await configure('--authorization-webhook-config-file', settingsOf(options));
    return { authorizer: chain, parts: [] };
  }
  const load = async (text: string): Promise<void> => {
    const config = await import('../apiserver/authorization/webhook/index.ts');
    const root = await parseConfigFile(file, text, config.AUTHORIZATION_VERSIONS, config.AUTHORIZATION_KIND);
    await configure(`${file}: connectionInfo`, await config.readAuthorizationConfig(root));
  };
  return { authorizer: chain, parts: [await reloadedFile('authorization-config', file, load, deps)] };
}

function settingsOf({ modes, webhook }: AuthorizationOptions): readonly AuthorizerSettings[] {
  return modes.map((type): AuthorizerSettings => {
    if (type !== 'Webhook') return { type };
    if (webhook === undefined) throw new ConfigError('--authorization-webhook-config-file is needed');
    const { kubeconfig, version, authorizedTTLMs, unauthorizedTTLMs } = webhook;
    return {
      type,
      kubeconfig,
      options: {
        name: 'default',
        version,
        timeoutMs: WEBHOOK_TIMEOUT_MS,
        authorizedTTLMs,
        unauthorizedTTLMs,
        failurePolicy: 'NoOpinion',
        conditions: [],
      },
    };
  });
}

interface Made {
  readonly authorizer: Authorizer;
  readonly webhook?: KubeconfigWebhook;
}

async function authorizerOf(setting: string, settings: AuthorizerSettings, deps: AuthorizationDeps): Promise<Made> {
  switch (settings.type) {
    case 'Node':
      return { authorizer: deps.node };
    case 'RBAC':
      return { authorizer: deps.rbac };
    case 'AlwaysAllow':
      return { authorizer: alwaysAllow };
    case 'AlwaysDeny':
      return { authorizer: alwaysDeny };
    case 'Webhook': {
      const { WebhookAuthorizer } = await import('../apiserver/authorization/webhook/index.ts');
      const webhook = await openWebhook(setting, settings.kubeconfig, deps);
      const post = (review: unknown, timeoutMs: number) => webhook.post(review, timeoutMs);
      const { clock, logger } = deps;
      return { authorizer: new WebhookAuthorizer(settings.options, { clock, logger, post }), webhook };
    }
  }
}
