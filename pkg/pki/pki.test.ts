import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, webcrypto, X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../base/clock.ts';
import {
  ensurePKI,
  formatJoinToken,
  inspectCertificateRequest,
  type PKIOptions,
  parseJoinToken,
  signCertificateRequest,
  subjectOf,
  verifyJoinToken,
  writeKubeconfig,
} from './index.ts';
import { subjectName } from './issue.ts';

const DAY_MS = 86_400_000;
let directory: string;
let clock: FakeClock;
let options: PKIOptions;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kube-lite-pki-'));
  clock = new FakeClock(Math.floor(Date.now() / 1000) * 1000);
  options = {
    clock,
    nodeName: 'node-1',
    nodeAddresses: ['10.0.0.5'],
    serverNames: ['vm.example.com'],
    serviceIPs: ['10.43.0.1'],
    clusterDomain: 'cluster.local',
  };
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('ensurePKI', () => {
  it('creates a PKI that openssl accepts under its strict rules, in private files', async () => {
    const pki = await ensurePKI(join(directory, 'server'), options);
    const verify = (ca: string, purpose: string, name: string): string =>
      execFileSync(
        'openssl',
        ['verify', '-x509_strict', '-purpose', purpose, '-CAfile', join(pki.directory, ca), join(pki.directory, name)],
        { encoding: 'utf8' },
      );
    expect(verify('server-ca.crt', 'sslserver', 'apiserver.crt')).toContain('OK');
    expect(verify('server-ca.crt', 'sslserver', 'kubelet-serving.crt')).toContain('OK');
    expect(verify('client-ca.crt', 'sslclient', 'admin.crt')).toContain('OK');
    expect(verify('client-ca.crt', 'sslclient', 'kubelet-client.crt')).toContain('OK');
    expect(verify('request-header-ca.crt', 'sslclient', 'front-proxy-client.crt')).toContain('OK');
    expect((await stat(pki.directory)).mode & 0o777).toBe(0o700);
    expect((await stat(join(pki.directory, 'admin.key'))).mode & 0o777).toBe(0o600);
    const apiserver = new X509Certificate(pki.apiserver.certificatePEM);
    for (const name of ['kubernetes', 'kubernetes.default.svc.cluster.local', 'localhost', 'node-1', 'vm.example.com'])
      expect(apiserver.checkHost(name)).toBe(name);
    for (const ip of ['127.0.0.1', '10.43.0.1', '10.0.0.5']) expect(apiserver.checkIP(ip)).toBe(ip);
    expect(subjectOf(new X509Certificate(pki.kubeletClient.certificatePEM))).toEqual({
      commonName: 'system:node:node-1',
      organizations: ['system:nodes'],
    });
  });

  it('issues again only what changed or comes near its end', async () => {
    const first = await ensurePKI(directory, options);
    expect(await ensurePKI(directory, options)).toMatchObject({
      apiserver: first.apiserver,
      admin: first.admin,
      joinToken: first.joinToken,
    });
    const renamed = await ensurePKI(directory, { ...options, serverNames: ['other.example.com'] });
    expect(renamed.apiserver.certificatePEM).not.toBe(first.apiserver.certificatePEM);
    expect(renamed.apiserver.keyPEM).toBe(first.apiserver.keyPEM);
    expect(renamed.admin).toEqual(first.admin);
    await clock.advance(300 * DAY_MS);
    const later = await ensurePKI(directory, options);
    expect(later.admin.certificatePEM).not.toBe(first.admin.certificatePEM);
    expect(later.clientCA.certificatePEM).toBe(first.clientCA.certificatePEM);
    await clock.advance(9 * 365 * DAY_MS);
    const old = await ensurePKI(directory, options);
    expect(old.serverCA.keyPEM).toBe(first.serverCA.keyPEM);
    expect(old.serverCA.certificate.subject).toBe(first.serverCA.certificate.subject);
    expect(new X509Certificate(first.apiserver.certificatePEM).verify(old.serverCA.certificate.publicKey)).toBe(true);
  });

  it('repairs a broken certificate and refuses a CA without its key', async () => {
    const pki = await ensurePKI(directory, options);
    await writeFile(join(pki.directory, 'admin.crt'), 'half a certifi');
    const repaired = await ensurePKI(directory, options);
    expect(subjectOf(new X509Certificate(repaired.admin.certificatePEM)).commonName).toBe('system:admin');
    await rm(join(pki.directory, 'client-ca.key'));
    await expect(ensurePKI(directory, options)).rejects.toThrow(/client-ca\.key is missing/);
  });
});

async function request(
  commonName: string,
  organizations: readonly string[],
  dnsNames: readonly string[] = [],
): Promise<string> {
  const x509 = await import('@peculiar/x509');
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const csr = await x509.Pkcs10CertificateRequestGenerator.create({
    name: subjectName(commonName, organizations),
    keys: keys as never,
    signingAlgorithm: algorithm,
    extensions: [new x509.SubjectAlternativeNameExtension(dnsNames.map((value) => ({ type: 'dns', value })))],
  });
  return csr.toString('pem');
}

describe('signCertificateRequest', () => {
  it.each([
    ['quotes', 'a"system:masters"'],
    ['commas', 'a,O=system:masters'],
    ['newlines', 'a\nO=system:masters'],
    ['escapes', 'a\\,O=system:masters'],
    ['hex', '#0c0e73797374656d3a6d617374657273'],
    ['multi-valued', 'a+O=system:masters'],
  ])('keeps a group name with %s one group of exactly that name', async (_, group) => {
    const pki = await ensurePKI(directory, options);
    const pem = await request('eve', [group, 'plain']);
    expect(await inspectCertificateRequest(pem)).toMatchObject({ commonName: 'eve', organizations: [group, 'plain'] });
    const signed = await signCertificateRequest(pki.clientCA, pem, {
      usages: ['digital signature', 'client auth'],
      durationMs: DAY_MS,
      nowMs: clock.now(),
    });
    const certificate = new X509Certificate(signed);
    expect(subjectOf(certificate)).toEqual({ commonName: 'eve', organizations: [group, 'plain'] });
    expect(certificate.verify(pki.clientCA.certificate.publicKey)).toBe(true);
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
    expect(certificate.validToDate.getTime()).toBe(clock.now() + DAY_MS);
  });

  it('keeps alternative names, refuses unknown usages and broken requests', async () => {
    const pki = await ensurePKI(directory, options);
    const pem = await request('system:node:a', ['system:nodes'], ['a.example.com']);
    const sign = { usages: ['server auth'], durationMs: DAY_MS, nowMs: clock.now() };
    const signed = new X509Certificate(await signCertificateRequest(pki.serverCA, pem, sign));
    expect(signed.subjectAltName).toBe('DNS:a.example.com');
    await expect(signCertificateRequest(pki.serverCA, pem, { ...sign, usages: ['flying'] })).rejects.toThrow(/flying/);
    await expect(inspectCertificateRequest('garbage')).rejects.toThrow();
  });
});

describe('the join token', () => {
  it('survives restarts and pins the server CA', async () => {
    const { joinToken } = await ensurePKI(directory, options);
    const text = formatJoinToken(joinToken);
    expect(parseJoinToken(text)).toEqual(joinToken);
    expect((await readFile(join(directory, 'token'), 'utf8')).trim()).toBe(text);
    expect(verifyJoinToken(text, joinToken)).toBe(true);
    expect(verifyJoinToken(`${text}x`, joinToken)).toBe(false);
    expect(verifyJoinToken('K10abc::server:x', joinToken)).toBe(false);
    const chosen = await ensurePKI(directory, { ...options, joinSecret: 'chosen' });
    expect(chosen.joinToken).toEqual({ caHash: joinToken.caHash, secret: 'chosen' });
    expect((await ensurePKI(directory, options)).joinToken.secret).toBe('chosen');
    await expect(ensurePKI(directory, { ...options, joinSecret: 'a b' })).rejects.toThrow(/no spaces/);
  });
});

describe('writeKubeconfig', () => {
  it('writes a private file and leaves an equal one alone', async () => {
    const path = join(directory, 'etc', 'kube-lite.yaml');
    const keyPEM = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
      type: 'pkcs8',
      format: 'pem',
    });
    const kubeconfig = {
      server: 'https://127.0.0.1:6443',
      certificateAuthorityPEM: 'ca',
      clientCertificatePEM: 'cert',
      clientKeyPEM: keyPEM.toString(),
    };
    await writeKubeconfig(path, kubeconfig);
    const before = await stat(path);
    await writeKubeconfig(path, kubeconfig);
    expect((await stat(path)).ino).toBe(before.ino);
    expect(before.mode & 0o777).toBe(0o600);
    expect(await readFile(path, 'utf8')).toContain('server: "https://127.0.0.1:6443"');
  });
});
