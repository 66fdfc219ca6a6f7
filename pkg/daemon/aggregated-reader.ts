import type { Clock } from '../base/clock.ts';
import { type Client, HTTPTransport } from '../client/index.ts';
import type { PKI } from '../pki/index.ts';

export interface AggregatedReaderDeps {
  readonly pki: PKI;
  readonly clock: Clock;
  /** Where the server listens; asked when it is needed. */
  port(): number;
}

/**
 * Reads what other API servers serve, through our own front door: the in-process one knows only what is served here. There is
 * no connection while nothing is asked.
 */
export function aggregatedReader({ pki, clock, port }: AggregatedReaderDeps): Pick<Client, 'raw'> {
  return {
    async raw(path, signal) {
      const transport = new HTTPTransport(
        {
          server: `https://127.0.0.1:${port()}`,
          ca: pki.serverCA.certificatePEM,
          certificate: pki.admin.certificatePEM,
          key: pki.admin.keyPEM,
          userAgent: 'kube-lite/horizontal-pod-autoscaler',
        },
        { clock },
      );
      try {
        return await transport.raw(path, signal);
      } finally {
        await transport.close();
      }
    },
  };
}
