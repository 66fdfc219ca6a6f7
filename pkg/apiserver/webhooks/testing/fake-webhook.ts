import { createPrivateKey } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { alternativeNames, createAuthority, issue, newKeyPEM, publicKeyDER, subjectName } from '../../../pki/issue.ts';

const DIGITAL_SIGNATURE = 1;
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';

export type FakeWebhookHandler = (body: string, request: IncomingMessage, response: ServerResponse) => void;

/** A webhook on loopback with a certificate of its own authority, for 127.0.0.1 and `hook.ns.svc`. */
export class FakeWebhook {
  /** PEM in base64, as `caBundle` has it. */
  readonly caBundle: string;
  /** Answers requests; tests set it. */
  handler: FakeWebhookHandler = (_body, _request, response) => response.end('{}');
  /** Bodies of all requests. */
  readonly bodies: string[] = [];
  readonly paths: string[] = [];
  connections = 0;
  readonly #server: Server;

  private constructor(server: Server, caBundle: string) {
    this.#server = server;
    this.caBundle = caBundle;
  }

  static async open(): Promise<FakeWebhook> {
    const nowMs = Date.now();
    const dayMs = 86_400_000;
    const authority = await createAuthority({
      commonName: 'fake-webhook-ca',
      notBeforeMs: nowMs - dayMs,
      notAfterMs: nowMs + dayMs,
    });
    const keyPEM = newKeyPEM();
    const cert = await issue(authority, {
      subject: subjectName('hook', []),
      publicKey: publicKeyDER(createPrivateKey(keyPEM)),
      alternativeNames: alternativeNames(['127.0.0.1', 'hook.ns.svc']),
      keyUsages: DIGITAL_SIGNATURE,
      extendedKeyUsages: [SERVER_AUTH],
      notBeforeMs: nowMs - dayMs,
      notAfterMs: nowMs + dayMs,
    });
    const server = createServer({ cert, key: keyPEM });
    const hook = new FakeWebhook(server, Buffer.from(authority.certificatePEM).toString('base64'));
    server.on('secureConnection', () => {
      hook.connections++;
    });
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString();
        hook.bodies.push(body);
        hook.paths.push(request.url ?? '');
        hook.handler(body, request, response);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return hook;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  url(path = '/'): string {
    return `https://127.0.0.1:${this.port}${path}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
