import { Agent } from 'node:https';

/** How the server identifies itself to kubelets, PEM; `ca` verifies theirs (absent: not verified, as upstream's default). */
export interface KubeletTLS {
  readonly cert: string;
  readonly key: string;
  readonly ca?: string;
}

export function kubeletAgent(tls: KubeletTLS | undefined): Agent {
  return new Agent({
    keepAlive: false,
    ...(tls === undefined ? {} : { cert: tls.cert, key: tls.key }),
    ...(tls?.ca === undefined ? { rejectUnauthorized: false } : { ca: tls.ca }),
    // Kubelets are addressed by IP; their certificates name the node.
    checkServerIdentity: () => undefined,
  });
}
