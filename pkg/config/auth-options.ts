import { ConfigError, type OptionSpec } from './option.ts';
import type { ServerOptionName } from './server-options.ts';

/** Who makes a request, and what they may do: upstream's flags under their names. */
export const authOptions = [
  {
    name: 'anonymous-auth',
    type: 'bool',
    description: 'whether requests without credentials are those of system:anonymous (default true)',
  },
  {
    name: 'authentication-config',
    type: 'path',
    description:
      'AuthenticationConfiguration: issuers of tokens (OpenID Connect) and anonymous requests; read again when it changes',
  },
  { name: 'oidc-issuer-url', type: 'string', description: 'issuer of OpenID Connect tokens, https' },
  { name: 'oidc-client-id', type: 'string', description: 'audience that OpenID Connect tokens must be for' },
  {
    name: 'oidc-ca-file',
    type: 'path',
    description: "certificate authorities of the OpenID Connect issuer, PEM (default: the system's)",
  },
  { name: 'oidc-username-claim', type: 'string', default: 'sub', description: 'claim that names the user' },
  {
    name: 'oidc-username-prefix',
    type: 'string',
    description: 'put before user names; - for nothing (default: the issuer and #, nothing for the claim email)',
  },
  { name: 'oidc-groups-claim', type: 'string', description: "claim with the user's groups" },
  { name: 'oidc-groups-prefix', type: 'string', default: '', description: 'put before the names of groups' },
  {
    name: 'oidc-signing-algs',
    type: 'list',
    default: ['RS256'],
    description: 'signature algorithms of OpenID Connect tokens that are accepted',
  },
  {
    name: 'oidc-required-claim',
    type: 'list',
    default: [],
    description: 'claims that OpenID Connect tokens must have, key=value',
  },
  {
    name: 'authentication-token-webhook-config-file',
    type: 'path',
    description: 'kubeconfig of a webhook that is asked whose a token is',
  },
  {
    name: 'authentication-token-webhook-cache-ttl',
    type: 'duration',
    default: 120_000,
    description: 'how long answers of the token webhook hold',
  },
  {
    name: 'authentication-token-webhook-version',
    type: 'string',
    default: 'v1beta1',
    description: 'version of the TokenReviews that the token webhook gets: v1 or v1beta1',
  },
  {
    name: 'authorization-mode',
    type: 'list',
    default: [],
    description: 'authorizers in order: Node, RBAC, Webhook, AlwaysAllow, AlwaysDeny (default Node,RBAC)',
  },
  {
    name: 'authorization-config',
    type: 'path',
    description: 'AuthorizationConfiguration: authorizers in order; read again when it changes',
  },
  {
    name: 'authorization-webhook-config-file',
    type: 'path',
    description: 'kubeconfig of the webhook of authorization mode Webhook',
  },
  {
    name: 'authorization-webhook-cache-authorized-ttl',
    type: 'duration',
    default: 300_000,
    description: 'how long a yes of the authorization webhook holds',
  },
  {
    name: 'authorization-webhook-cache-unauthorized-ttl',
    type: 'duration',
    default: 30_000,
    description: 'how long a no of the authorization webhook holds',
  },
  {
    name: 'authorization-webhook-version',
    type: 'string',
    default: 'v1beta1',
    description: 'version of the SubjectAccessReviews that the authorization webhook gets: v1 or v1beta1',
  },
] as const satisfies readonly OptionSpec[];

/** The classic flags for one issuer. */
export interface OIDCFlags {
  readonly issuerURL: string;
  readonly clientID: string;
  readonly caFile: string | undefined;
  readonly usernameClaim: string;
  readonly usernamePrefix: string;
  readonly groupsClaim: string | undefined;
  readonly groupsPrefix: string;
  readonly algorithms: readonly string[];
  readonly requiredClaims: readonly { readonly claim: string; readonly value: string }[];
}

export interface TokenWebhookFlags {
  readonly kubeconfig: string;
  readonly cacheTTLMs: number;
  readonly version: string;
}

export interface AuthenticationOptions {
  /** Absent: neither flag nor file say. */
  readonly anonymous: boolean | undefined;
  readonly configFile: string | undefined;
  readonly oidc: OIDCFlags | undefined;
  readonly webhook: TokenWebhookFlags | undefined;
}

export interface AuthorizationWebhookFlags {
  readonly kubeconfig: string;
  readonly authorizedTTLMs: number;
  readonly unauthorizedTTLMs: number;
  readonly version: string;
}

export interface AuthorizationOptions {
  readonly configFile: string | undefined;
  readonly modes: readonly AuthorizationMode[];
  readonly webhook: AuthorizationWebhookFlags | undefined;
}

export const AUTHORIZATION_MODES = ['Node', 'RBAC', 'Webhook', 'AlwaysAllow', 'AlwaysDeny'] as const;
export type AuthorizationMode = (typeof AUTHORIZATION_MODES)[number];

type Get = <T>(name: ServerOptionName) => T;

/** Throws ConfigError for flags that exclude or need each other. */
export function authenticationOptions(get: Get): AuthenticationOptions {
  const configFile = get<string | undefined>('authentication-config');
  const oidc = oidcFlags(get);
  if (configFile !== undefined && oidc !== undefined)
    throw new ConfigError('--authentication-config and --oidc-issuer-url exclude each other; choose one');
  const kubeconfig = get<string | undefined>('authentication-token-webhook-config-file');
  const webhook =
    kubeconfig === undefined
      ? undefined
      : {
          kubeconfig,
          cacheTTLMs: get<number>('authentication-token-webhook-cache-ttl'),
          version: reviewVersion('authentication-token-webhook-version', get),
        };
  return { anonymous: get<boolean | undefined>('anonymous-auth'), configFile, oidc, webhook };
}

function oidcFlags(get: Get): OIDCFlags | undefined {
  const issuerURL = get<string | undefined>('oidc-issuer-url');
  const clientID = get<string | undefined>('oidc-client-id');
  if (issuerURL === undefined && clientID === undefined) return undefined;
  if (issuerURL === undefined || clientID === undefined)
    throw new ConfigError('--oidc-issuer-url and --oidc-client-id must be specified together');
  if (!URL.canParse(issuerURL) || new URL(issuerURL).protocol !== 'https:')
    throw new ConfigError(`--oidc-issuer-url: ${JSON.stringify(issuerURL)} is no https URL`);
  const usernameClaim = get<string>('oidc-username-claim');
  const prefix = get<string | undefined>('oidc-username-prefix');
  return {
    issuerURL,
    clientID,
    caFile: get('oidc-ca-file'),
    usernameClaim,
    usernamePrefix: prefix === '-' ? '' : (prefix ?? (usernameClaim === 'email' ? '' : `${issuerURL}#`)),
    groupsClaim: get('oidc-groups-claim'),
    groupsPrefix: get('oidc-groups-prefix'),
    algorithms: get('oidc-signing-algs'),
    requiredClaims: get<readonly string[]>('oidc-required-claim').map((text) => {
      const [claim = '', ...rest] = text.split('=');
      if (claim === '' || rest.length === 0)
        throw new ConfigError(`--oidc-required-claim: ${JSON.stringify(text)} is not key=value`);
      return { claim, value: rest.join('=') };
    }),
  };
}

/** Throws ConfigError for flags that exclude or need each other. */
export function authorizationOptions(get: Get): AuthorizationOptions {
  const configFile = get<string | undefined>('authorization-config');
  const given = get<readonly string[]>('authorization-mode');
  const kubeconfig = get<string | undefined>('authorization-webhook-config-file');
  if (configFile !== undefined && (given.length > 0 || kubeconfig !== undefined))
    throw new ConfigError(
      '--authorization-config excludes --authorization-mode and --authorization-webhook-config-file',
    );
  const modes: readonly AuthorizationMode[] = given.length === 0 ? ['Node', 'RBAC'] : given.map(parseMode);
  if (new Set(modes).size < modes.length) throw new ConfigError('--authorization-mode: a mode is named twice');
  if (modes.includes('Webhook') !== (kubeconfig !== undefined))
    throw new ConfigError('--authorization-mode Webhook and --authorization-webhook-config-file need each other');
  const webhook =
    kubeconfig === undefined
      ? undefined
      : {
          kubeconfig,
          authorizedTTLMs: get<number>('authorization-webhook-cache-authorized-ttl'),
          unauthorizedTTLMs: get<number>('authorization-webhook-cache-unauthorized-ttl'),
          version: reviewVersion('authorization-webhook-version', get),
        };
  return { configFile, modes, webhook };
}

function parseMode(text: string): AuthorizationMode {
  const mode = AUTHORIZATION_MODES.find((one) => one === text);
  if (mode !== undefined) return mode;
  const problem =
    text === 'ABAC'
      ? 'ABAC is not supported; use RBAC'
      : `${JSON.stringify(text)} is not one of ${AUTHORIZATION_MODES.join(', ')}`;
  throw new ConfigError(`--authorization-mode: ${problem}`);
}

function reviewVersion(name: ServerOptionName, get: Get): string {
  const version = get<string>(name);
  if (version !== 'v1' && version !== 'v1beta1')
    throw new ConfigError(`--${name}: ${JSON.stringify(version)} is not v1 or v1beta1`);
  return version;
}
