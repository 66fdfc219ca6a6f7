import { type Agent, get } from 'node:https';
import { targetOfNode } from '../subresources/proxy-target.ts';
import type { ScrapeKubelet } from './resource-metrics.ts';

/** What a node with 500 pods answers is a tenth of it. */
const MAX_BYTES = 8 << 20;

/** Asks kubelets over HTTPS. Rejects with what the connection or the kubelet says. */
export function scrapeOverHTTPS(agent: Agent): ScrapeKubelet {
  return async (node, signal) => {
    const { host, port } = targetOfNode(node);
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const request = get({ host, port, path: '/metrics/resource', agent, signal }, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_BYTES) response.destroy(new Error('the measurements of the kubelet are too large'));
        else chunks.push(chunk);
      });
      response.on('error', reject);
      response.on('end', () => {
        if (response.statusCode === 200) resolve(Buffer.concat(chunks).toString());
        else reject(new Error(`the kubelet answered with code ${response.statusCode}`));
      });
    });
    request.on('error', reject);
    return promise;
  };
}
