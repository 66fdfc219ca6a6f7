import { isStatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { ConfigMap } from '../../api/generated/types.ts';
import type { Draft } from '../../api/object.ts';
import { equalJSON } from '../../base/json.ts';
import type { Client } from '../../client/client.ts';
import { FRONT_PROXY_USER } from '../../pki/index.ts';

export interface AuthenticationConfig {
  readonly clientCAPEM: string;
  readonly requestHeaderCAPEM: string;
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
    'requestheader-allowed-names': JSON.stringify([FRONT_PROXY_USER]),
    'requestheader-client-ca-file': config.requestHeaderCAPEM,
    'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
    'requestheader-group-headers': '["X-Remote-Group"]',
    'requestheader-uid-headers': '["X-Remote-Uid"]',
    'requestheader-username-headers': '["X-Remote-User"]',
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
