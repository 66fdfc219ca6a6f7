import { readFile } from 'node:fs/promises';
import { Agent, request } from 'undici';
import type { ExtenderTLS } from '../config/configuration.ts';
import { ExtenderError, type ExtenderTransport } from './extender.ts';

/** Calls extenders over HTTP(S); connections are kept for each TLS configuration. */
export function createExtenderTransport(): ExtenderTransport {
  const agents = new Map<ExtenderTLS | undefined, Promise<Agent>>();
  return async (url, body, { timeoutMs, tls }) => {
    let agent = agents.get(tls);
    if (agent === undefined) {
      agent = createAgent(tls);
      agents.set(tls, agent);
    }
    const response = await request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      dispatcher: await agent,
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (response.statusCode !== 200) {
      await response.body.dump();
      throw new ExtenderError(`code ${response.statusCode}`);
    }
    return response.body.json();
  };
}

async function createAgent(tls: ExtenderTLS | undefined): Promise<Agent> {
  if (tls === undefined) return new Agent();
  const read = async (file: string | undefined, data: string | undefined): Promise<string | undefined> =>
    data ?? (file === undefined ? undefined : readFile(file, 'utf8'));
  const [cert, key, ca] = await Promise.all([
    read(tls.certFile, tls.certData),
    read(tls.keyFile, tls.keyData),
    read(tls.caFile, tls.caData),
  ]);
  return new Agent({
    connect: {
      rejectUnauthorized: !tls.insecure,
      ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(ca === undefined ? {} : { ca }),
    },
  });
}
