import 'reflect-metadata';
import { KeyObject, type webcrypto } from 'node:crypto';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:tls';
import { BasicConstraintsExtension, SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { type ServerTrust, VerifyingAgent, verifyingConnector } from './index.ts';

const NAME = 'hook.ns.svc';
const DAY_MS = 86_400_000;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

let server: Server;
let authority: string;
let other: string;

/** Authorities that have no name, and a server's certificate that has none either: its subject and its issuer are the same. */
beforeAll(async () => {
  const [keys, otherKeys, serverKeys] = await Promise.all([newKeys(), newKeys(), newKeys()]);
  authority = await certificate(keys, keys, 'CN=nameless');
  other = await certificate(otherKeys, otherKeys, 'CN=nameless');
  const cert = await certificate(serverKeys, keys, '', NAME);
  const key = KeyObject.from(serverKeys.privateKey).export({ type: 'pkcs8', format: 'pem' });
  server = createServer({ cert, key }, (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterAll(() => server.close());

describe.each([
  ['undici', byConnector],
  ["Node's own client", byAgent],
])('%s', (_name, outcome) => {
  test('a certificate without names is judged by who signed it, like all others by time and the name of the server', async () => {
    expect(await outcome(authority, NAME)).toBe('connected');
    expect(await outcome(other + authority, NAME)).toBe('connected');
    expect(await outcome(`${other}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----`, NAME)).not.toBe(
      'connected',
    );
    expect(await outcome(other, NAME)).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
    expect(await outcome(undefined, NAME)).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
    expect(await outcome(authority, 'other.ns.svc')).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
    expect(await outcome(authority, NAME, Date.now() + 2 * DAY_MS)).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
  });

  test('the next connection is judged as the first', async () => {
    for (let i = 0; i < 3; i++) expect(await outcome(authority, NAME)).toBe('connected');
  });

  test('a server that may be anybody', async () => {
    expect(await outcome(undefined, NAME, Date.now(), true)).toBe('connected');
  });
});

function trust(authorities: string | undefined, serverName: string, insecureSkipTLSVerify: boolean): ServerTrust {
  return { serverName, insecureSkipTLSVerify, ...(authorities === undefined ? {} : { authorities }) };
}

/** What comes of a connection, at its end: `connected` or the code of the error. */
function byConnector(
  authorities: string | undefined,
  serverName: string,
  now = Date.now(),
  insecure = false,
): Promise<string> {
  const { port } = server.address() as AddressInfo;
  const connect = verifyingConnector(trust(authorities, serverName, insecure), 10_000, { now: () => now });
  return new Promise((resolve) => {
    connect({ hostname: '127.0.0.1', protocol: 'https:', port: String(port) }, (...[error, socket]) => {
      if (error !== null) resolve(String(Reflect.get(error, 'code')));
      // Read to its end: tickets for further sessions come with the data.
      socket?.resume().once('close', () => resolve('connected'));
    });
  });
}

function byAgent(
  authorities: string | undefined,
  serverName: string,
  now = Date.now(),
  insecure = false,
): Promise<string> {
  const { port } = server.address() as AddressInfo;
  const clock = { now: () => now, after: systemClock.after };
  // Each request says which server it is for.
  const { serverName: _, ...given } = trust(authorities, serverName, insecure);
  const agent = new VerifyingAgent(given, { timeoutMs: 10_000 }, clock);
  return new Promise((resolve) => {
    const outgoing = request({ host: '127.0.0.1', port, agent, servername: serverName });
    outgoing.once('response', (response) => response.resume().once('end', () => resolve('connected')));
    outgoing.once('error', (error) => resolve(String(Reflect.get(error, 'code'))));
    outgoing.end();
  });
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

/** PEM, of a certificate with an empty subject. */
async function certificate(
  of: webcrypto.CryptoKeyPair,
  by: webcrypto.CryptoKeyPair,
  issuer: string,
  dnsName?: string,
): Promise<string> {
  const made = await X509CertificateGenerator.create({
    subject: '',
    issuer,
    serialNumber: '01',
    notBefore: new Date(Date.now() - DAY_MS),
    notAfter: new Date(Date.now() + DAY_MS),
    publicKey: of.publicKey,
    signingKey: by.privateKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      dnsName === undefined
        ? new BasicConstraintsExtension(true, undefined, true)
        : new SubjectAlternativeNameExtension([{ type: 'dns', value: dnsName }]),
    ],
  });
  return `${made.toString('pem')}\n`;
}
