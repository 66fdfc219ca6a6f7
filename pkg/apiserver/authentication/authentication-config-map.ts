import { isStatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { ConfigMap } from '../../api/generated/types.ts';
import type { Draft } from '../../api/object.ts';
import { equalJSON } from '../../base/json.ts';
import type { Client } from '../../client/client.ts';
import type { HeaderNames } from './request-header.ts';

export interface AuthenticationConfig {
  readonly clientCAPEM: string;
  readonly requestHeaderCAPEM: string;
  /** Empty: any. */
  readonly allowedNames: readonly string[];
  readonly headers: HeaderNames;
}

/**
 * Keeps ConfigMap kube-system/extension-apiserver-authentication, from which aggregated API servers and other components
 * that serve HTTPS learn whose client certificates and whose X-Remote-* headers to trust.
 */
export async function ensureAuthenticationConfigMap(
  config: AuthenticationConfig,
  client: Client,
  signal?: AbortSignal,
): Promise<void> {
  const key = { namespace: 'kube-system', name: 'extension-apiserver-authentication' };
  const data = {
    'client-ca-file': config.clientCAPEM,
    'requestheader-allowed-names': JSON.stringify(config.allowedNames),
    'requestheader-client-ca-file': config.requestHeaderCAPEM,
    'requestheader-extra-headers-prefix': JSON.stringify(config.headers.extraPrefixes),
    'requestheader-group-headers': JSON.stringify(config.headers.groupHeaders),
    'requestheader-uid-headers': JSON.stringify(config.headers.uidHeaders),
    'requestheader-username-headers': JSON.stringify(config.headers.usernameHeaders),
  };
  try {
    const existing = await client.get(resources.configmaps, key, signal);
    const merged = { ...existing.data, ...data };
    if (!equalJSON(existing.data, merged))
      await client.update(resources.configmaps, { ...existing, data: merged } as Draft<ConfigMap>, {}, signal);
  } catch (error) {
    if (!isStatusError(error, 'NotFound')) throw error;
    await client.create(resources.configmaps, { metadata: key, data }, {}, signal);
  }
}
