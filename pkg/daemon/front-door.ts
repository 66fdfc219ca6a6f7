import { resources } from '../api/generated/resources.ts';
import type { ResourceType } from '../api/object.ts';
import type { Clock } from '../base/clock.ts';
import { HTTPTransport, type RestClientMetrics } from '../client/index.ts';
import type { PKI } from '../pki/index.ts';

export interface FrontDoorDeps {
  readonly pki: PKI;
  readonly clock: Clock;
  readonly requests: RestClientMetrics;
  /** Where the server listens; asked when it is needed. */
  port(): number;
}

/** What controllers do over HTTPS. */
export interface FrontDoor {
  /** Deletes a volume's directory on a node. Rejects when the node does not answer. */
  removeLocalVolume(nodeName: string, volumeName: string, signal: AbortSignal): Promise<void>;
}

/**
 * The server's own HTTPS front door, for what the in-process one does not serve: kubelets. There is no
 * connection while nothing is asked.
 */
export function frontDoor({ pki, clock, requests, port }: FrontDoorDeps): FrontDoor {
  const through = async <T>(use: (transport: HTTPTransport) => Promise<T>): Promise<T> => {
    const transport = new HTTPTransport(
      {
        server: `https://127.0.0.1:${port()}`,
        ca: pki.serverCA.certificatePEM,
        certificate: pki.admin.certificatePEM,
        key: pki.admin.keyPEM,
        userAgent: 'kube-lite/controllers',
      },
      { clock, requests },
    );
    try {
      return await use(transport);
    } finally {
      await transport.close();
    }
  };
  return {
    async removeLocalVolume(nodeName, volumeName, signal) {
      const subresource = `proxy/localVolumes/${encodeURIComponent(volumeName)}`;
      const request = {
        verb: 'delete',
        type: resources.nodes as unknown as ResourceType,
        name: nodeName,
        subresource,
      } as const;
      await through((transport) => transport.request(request, signal));
    },
  };
}
