import { createHmac } from 'node:crypto';
import { resources } from '../../api/generated/resources.ts';
import type { ConfigMap, Secret } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';
import { equalJSON } from '../../base/json.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Client, Lister } from '../../client/client.ts';
import type { ReconcileResult, Reconciler, Request } from '../../controller/controller.ts';
import { Controller } from '../../controller/run-controller.ts';
import { fromInformer } from '../../controller/sources.ts';
import type { ControllerCommonDeps } from '../deps.ts';

const INFO = { namespace: 'kube-public', name: 'cluster-info' };
const KUBECONFIG = 'kubeconfig';
const SIGNATURE = 'jws-kubeconfig-';
const TOKENS = 'kube-system';
const TOKEN_TYPE = 'bootstrap.kubernetes.io/token';

/**
 * Signs the kubeconfig in kube-public/cluster-info with every bootstrap token that may sign, so that who has a token can trust
 * what anybody may read. Without the ConfigMap there is nothing to do.
 */
export function newBootstrapSigner(deps: ControllerCommonDeps): Component {
  const configMaps = deps.informers.for(resources.configmaps);
  const secrets = deps.informers.for(resources.secrets);
  return new Controller(
    {
      name: 'bootstrap-signer-controller',
      sources: [
        fromInformer(configMaps, {
          map: ({ metadata: { namespace, name } }) =>
            namespace === INFO.namespace && name === INFO.name ? [INFO] : [],
        }),
        fromInformer(secrets, {
          map: ({ metadata, type }) => (metadata.namespace === TOKENS && type === TOKEN_TYPE ? [INFO] : []),
        }),
      ],
      reconciler: new BootstrapSigner({ ...deps, configMaps: configMaps.lister, secrets: secrets.lister }),
    },
    deps,
  );
}

export interface BootstrapSignerDeps {
  readonly client: Client;
  readonly configMaps: Lister<ConfigMap>;
  readonly secrets: Lister<Secret>;
}

export class BootstrapSigner implements Reconciler {
  readonly #deps: BootstrapSignerDeps;

  constructor(deps: BootstrapSignerDeps) {
    this.#deps = deps;
  }

  async reconcile(_: Request): Promise<ReconcileResult> {
    const { client, configMaps, secrets } = this.#deps;
    const info = configMaps.get(`${INFO.namespace}/${INFO.name}`);
    const kubeconfig = info?.data?.[KUBECONFIG];
    if (info === undefined || kubeconfig === undefined) return undefined;
    const data = signed({ ...info.data }, kubeconfig, secrets.list(TOKENS));
    if (!equalJSON(data, info.data)) await client.update(resources.configmaps, { ...info, data });
    return undefined;
  }
}

/** The data with the signatures of these tokens, and no others. */
export function signed(
  data: Readonly<Record<string, string>>,
  kubeconfig: string,
  secrets: Iterable<DeepReadonly<Secret>>,
): Record<string, string> {
  const next = Object.fromEntries(Object.entries(data).filter(([name]) => !name.startsWith(SIGNATURE)));
  for (const secret of secrets) {
    const token = signingToken(secret);
    if (token !== undefined) next[SIGNATURE + token.id] = detachedSignature(kubeconfig, token);
  }
  return next;
}

interface Token {
  readonly id: string;
  readonly secret: string;
}

function signingToken({ type, metadata, data = {} }: DeepReadonly<Secret>): Token | undefined {
  const value = (key: string): string => Buffer.from(data[key] ?? '', 'base64').toString();
  if (type !== TOKEN_TYPE || value('usage-bootstrap-signing') !== 'true') return undefined;
  const [id, secret] = [value('token-id'), value('token-secret')];
  return id === '' || secret === '' || metadata.name !== `bootstrap-token-${id}` ? undefined : { id, secret };
}

/** A JWS (RFC 7515) by HMAC-SHA256 whose payload is left out (appendix F). */
export function detachedSignature(content: string, { id, secret }: Token): string {
  const header = Buffer.from(JSON.stringify({ alg: 'HS256', kid: id })).toString('base64url');
  const payload = Buffer.from(content).toString('base64url');
  const signature = createHmac('sha256', secret).update(`${header}.${payload}`).digest('base64url');
  return `${header}..${signature}`;
}
