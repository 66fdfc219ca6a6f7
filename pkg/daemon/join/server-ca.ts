import { createHash } from 'node:crypto';
import { connect, type DetailedPeerCertificate } from 'node:tls';
import { ConfigError } from '../../config/index.ts';

const TIMEOUT_MS = 10_000;

/**
 * The certificate authority of a server that nothing is known of but the hash of that authority: it shows it in the TLS
 * handshake. Resolves to its PEM. Throws ConfigError when the server is not the one that the hash is of.
 */
export async function fetchServerCA(server: string, caHash: string, signal?: AbortSignal): Promise<string> {
  const { hostname, port } = new URL(server);
  const chain = await peerChain(hostname.replace(/^\[|\]$/g, ''), Number(port), signal);
  const found = chain.find((der) => createHash('sha256').update(der).digest('hex') === caHash);
  if (found !== undefined) return toPEM(found);
  throw new ConfigError(
    `${server} is not the server that the token is for: none of its certificates has the hash ${caHash}; ` +
      'take the token from the server that you want to join, or check --join',
  );
}

function peerChain(host: string, port: number, signal: AbortSignal | undefined): Promise<Buffer[]> {
  return new Promise((resolve, reject) => {
    // Nothing is sent: who the server is follows from the hash.
    const socket = connect({ host, port, rejectUnauthorized: false, timeout: TIMEOUT_MS }, () => {
      const chain: Buffer[] = [];
      let next: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
      while (next?.raw !== undefined && !chain.some((der) => der.equals(next?.raw ?? der))) {
        chain.push(next.raw);
        next = next.issuerCertificate;
      }
      finish();
      resolve(chain);
    });
    const abort = (): void => void socket.destroy(new Error('aborted'));
    const finish = (): void => {
      signal?.removeEventListener('abort', abort);
      socket.destroy();
    };
    socket.once('timeout', () => socket.destroy(new Error(`no answer from ${host}:${port}`)));
    socket.once('error', (error) => {
      finish();
      reject(error);
    });
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort, { once: true });
  });
}

function toPEM(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
