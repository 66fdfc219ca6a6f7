import { readFile } from 'node:fs/promises';
import {
  AnonymousAuthenticator,
  BootstrapTokens,
  ClientCertificates,
  forOwnAudiences,
  JoinTokens,
  newAuthenticator,
  parseTokenFile,
  RequestHeaders,
  ServiceAccountTokens,
  StaticTokens,
  type TokenAuthenticator,
  TokenUses,
  type TrustedProxies,
  WebhookTokens,
} from '../apiserver/authentication/index.ts';
import type { AuthenticationSettings, IssuerSettings } from '../apiserver/authentication/oidc/index.ts';
import type { Authenticator, ObjectReader } from '../apiserver/index.ts';
import { KubeconfigWebhook, type KubeconfigWebhookDeps } from '../apiserver/webhooks/index.ts';
import type { Clock } from '../base/clock.ts';
import { type Component, component } from '../base/lifecycle.ts';
import type { Logger } from '../base/logger.ts';
import type { Metrics } from '../base/metrics.ts';
import { type Client, KubeconfigError, loadKubeconfig, type RestClientMetrics } from '../client/index.ts';
import {
  type AuthenticationOptions,
  ConfigError,
  type OIDCFlags,
  parseConfigFile,
  type RequestHeaderFlags,
  type ServerConfig,
  type TokenWebhookFlags,
  watchFile,
} from '../config/index.ts';
import { FRONT_PROXY_USER, type PKI } from '../pki/index.ts';

export interface AuthenticationDeps {
  readonly metrics: Metrics;
  readonly requests: RestClientMetrics;
  readonly pki: PKI;
  readonly reader: ObjectReader;
  /** The issuer of the cluster's own tokens. */
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** Notes the uses of tokens; asked for when there is a request. */
  readonly client: Client;
}

export interface Authentication {
  readonly authenticator: Authenticator;
  readonly tokens: readonly TokenAuthenticator[];
  /** Who may name users by request headers: PEM and common names (empty: any). */
  readonly frontProxies: TrustedProxies;
  /** Takes up changes of the configuration file. */
  readonly parts: readonly Component[];
}

/** Everything that says who makes a request, as flags and files have it. Throws ConfigError. */
export async function createAuthentication(config: ServerConfig, deps: AuthenticationDeps): Promise<Authentication> {
  const { pki, reader, issuer, audiences, clock, logger, metrics } = deps;
  const options = config.authentication;
  const anonymous = new AnonymousAuthenticator();
  anonymous.configure({ enabled: options.anonymous ?? true, paths: [] });
  const issuers = await configuredIssuers(options, { anonymous, clock, logger, issuer });
  const uses = new TokenUses(deps);
  const tokens: TokenAuthenticator[] = [
    new ServiceAccountTokens({ issuers: [issuer], audiences }, { keys: pki.serviceAccountKeys, reader, clock, uses }),
    forOwnAudiences(new BootstrapTokens({ reader, clock }), audiences),
    forOwnAudiences(new JoinTokens(pki.joinToken), audiences),
  ];
  if (config.tokenAuthFile !== undefined)
    tokens.push(forOwnAudiences(await staticTokens(config.tokenAuthFile), audiences));
  if (issuers !== undefined) tokens.push(forOwnAudiences(issuers.tokens, audiences));
  if (options.webhook !== undefined) tokens.push(await webhookTokens(options.webhook, deps));
  const proxies = await trustedProxies(config.requestHeader, pki);
  const authenticator = newAuthenticator({
    requestHeaders: new RequestHeaders({ proxies, headers: config.requestHeader }, { clock }),
    certificates: new ClientCertificates(pki.clientCA.certificatePEM, { clock, metrics }),
    tokens,
    anonymous,
    logger,
  });
  return { authenticator, tokens, frontProxies: together(proxies), parts: issuers?.parts ?? [] };
}

/** The server itself towards aggregated servers, and what the flags add. Throws ConfigError. */
async function trustedProxies({ caFile, allowedNames }: RequestHeaderFlags, pki: PKI): Promise<TrustedProxies[]> {
  const own = { caPEM: pki.requestHeaderCA.certificatePEM, allowedNames: [FRONT_PROXY_USER] };
  if (caFile === undefined) return [own];
  const flag = '--requestheader-client-ca-file';
  const caPEM = await readText(flag, caFile);
  if (!/-----BEGIN CERTIFICATE-----/.test(caPEM)) throw new ConfigError(`${flag} ${caFile}: has no certificates`);
  return [own, { caPEM, allowedNames }];
}

/** What aggregated servers are told, which know no difference between proxies. */
function together(proxies: readonly TrustedProxies[]): TrustedProxies {
  return {
    caPEM: proxies.map(({ caPEM }) => caPEM).join(''),
    allowedNames: proxies.some(({ allowedNames }) => allowedNames.length === 0)
      ? []
      : proxies.flatMap(({ allowedNames }) => allowedNames),
  };
}

interface ConfiguredIssuers {
  readonly tokens: TokenAuthenticator;
  readonly parts: readonly Component[];
}

async function configuredIssuers(
  options: AuthenticationOptions,
  deps: Pick<AuthenticationDeps, 'clock' | 'logger' | 'issuer'> & { readonly anonymous: AnonymousAuthenticator },
): Promise<ConfiguredIssuers | undefined> {
  const { clock, logger, issuer, anonymous } = deps;
  const file = options.configFile;
  if (options.oidc === undefined && file === undefined) return undefined;
  const oidc = await import('../apiserver/authentication/oidc/index.ts');
  const tokens = new oidc.ConfiguredTokens({ clock, logger });
  if (options.oidc !== undefined) {
    if (options.oidc.issuerURL === issuer)
      throw new ConfigError(`--oidc-issuer-url: ${issuer} is the issuer of the cluster's own tokens`);
    tokens.configure([await settingsOf(options.oidc)]);
    return { tokens, parts: [] };
  }
  if (file === undefined) return { tokens, parts: [] };
  const apply = (settings: AuthenticationSettings): void => {
    if (settings.anonymous !== undefined && options.anonymous !== undefined)
      throw new ConfigError(`${file}: anonymous: excludes --anonymous-auth`);
    anonymous.configure(settings.anonymous ?? { enabled: options.anonymous ?? true, paths: [] });
    tokens.configure(settings.issuers);
  };
  const load = async (text: string): Promise<void> => {
    const root = await parseConfigFile(file, text, oidc.AUTHENTICATION_VERSIONS, oidc.AUTHENTICATION_KIND);
    apply(await oidc.readAuthenticationConfig(root, [issuer]));
  };
  return { tokens, parts: [await reloadedFile('authentication-config', file, load, deps)] };
}

/** Loads a file now, and again when it changes; one that is wrong then is logged and changes nothing. */
export async function reloadedFile(
  name: string,
  file: string,
  load: (text: string) => Promise<void>,
  { clock, logger }: Pick<AuthenticationDeps, 'clock' | 'logger'>,
): Promise<Component> {
  const text = await readText(`--${name}`, file);
  await load(text);
  const reload = async (): Promise<void> => {
    try {
      await load(await readText(`--${name}`, file));
      logger.info({ file }, 'configuration file is read again');
    } catch (err) {
      logger.error({ file, err }, 'configuration file is wrong; what was read before stays in force');
    }
  };
  return component(name, async (signal, ready) => {
    ready();
    await watchFile(file, text, reload, { clock }, signal);
  });
}

async function readText(flag: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new ConfigError(`${flag} ${file}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

async function settingsOf(flags: OIDCFlags): Promise<IssuerSettings> {
  const { issuerURL, clientID, caFile, usernameClaim, usernamePrefix, groupsClaim, groupsPrefix } = flags;
  return {
    url: issuerURL,
    discoveryURL: undefined,
    certificateAuthority: caFile === undefined ? undefined : await readText('--oidc-ca-file', caFile),
    audiences: [clientID],
    algorithms: flags.algorithms,
    claimRules: flags.requiredClaims.map(({ claim, value }) => ({ claim, requiredValue: value })),
    username: { claim: usernameClaim, prefix: usernamePrefix },
    groups: groupsClaim === undefined ? undefined : { claim: groupsClaim, prefix: groupsPrefix },
    uid: undefined,
    extra: [],
    userRules: [],
  };
}

async function staticTokens(file: string): Promise<StaticTokens> {
  try {
    return new StaticTokens(parseTokenFile(await readFile(file, 'utf8')));
  } catch (error) {
    throw new ConfigError(`--token-auth-file ${file}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

async function webhookTokens(
  { kubeconfig, cacheTTLMs, version }: TokenWebhookFlags,
  { audiences, clock, requests }: AuthenticationDeps,
): Promise<WebhookTokens> {
  const flag = '--authentication-token-webhook-config-file';
  const webhook = await openWebhook(flag, kubeconfig, { clock, requests });
  const post = (review: unknown, timeoutMs: number) => webhook.post(review, timeoutMs);
  return new WebhookTokens({ audiences, cacheTTLMs, version }, { clock, post });
}

/** Throws ConfigError. */
export async function openWebhook(
  setting: string,
  kubeconfig: string,
  deps: KubeconfigWebhookDeps,
): Promise<KubeconfigWebhook> {
  try {
    return new KubeconfigWebhook(await loadKubeconfig(kubeconfig), deps);
  } catch (error) {
    if (!(error instanceof KubeconfigError)) throw error;
    throw new ConfigError(`${setting}: ${error.message}`, { cause: error });
  }
}
