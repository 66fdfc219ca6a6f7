import { Buffer } from 'node:buffer';
import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../object.ts';
import { certificateRequestError } from '../validation/certificate-request.ts';
import { strategies } from './index.ts';
import { validateSignerName } from './signer-name-validation.ts';
import { create, newObject } from './testing.ts';

const key = 'certificates.k8s.io/CertificateSigningRequest';
/** For CN=test, made with an EC key and an Ed25519 key. */
const ecdsa = `-----BEGIN CERTIFICATE REQUEST-----
MIHJMHECAQAwDzENMAsGA1UEAwwEdGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEH
A0IABKNwJyL48Vz6UjjTfDV7DUYpnCYuBdmWo0cYUs6rNfUHQ1rzPxfO+XbFXEY+
Ogwx/wbhddf6Tx6H/Futt/NzNGugADAKBggqhkjOPQQDAgNIADBFAiEA0ZkI0aGz
8xm12AOzHsZZ2YKZhMx7f4BshOc400MOZfsCIDD5QC9eTCN80Bd7jxmLIOsiW4QV
i4YIG7SqCXBCAHM6
-----END CERTIFICATE REQUEST-----
`;
const ed25519 = `-----BEGIN CERTIFICATE REQUEST-----
MIGOMEICAQAwDzENMAsGA1UEAwwEdGVzdDAqMAUGAytlcAMhAAtRMXs+yR4oj7Uu
SKOXJVyPWfa3WIuPoJBfyEfa+oLPoAAwBQYDK2VwA0EA/w6oQSBeWviorT3yor0P
Blqvesem9C8LnmxV4/iQi04Pd0BFJx/tkPYW2wIAQ6xCuyOdJUhZsiLI/UNTyDqq
Aw==
-----END CERTIFICATE REQUEST-----
`;
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const spec = { request: base64(ecdsa), signerName: 'example.com/signer', usages: ['client auth'] };

describe('certificate requests in PEM', () => {
  // The last character of the data carries bits of the signature.
  const tampered = ecdsa.replace(
    /(.)(=*\n-----END)/,
    (_all, last: string, end: string) => `${last === 'A' ? 'Q' : 'A'}${end}`,
  );
  const cases: [name: string, pem: string, error: string | undefined][] = [
    ['ECDSA', ecdsa, undefined],
    ['Ed25519', ed25519, undefined],
    ['not PEM', 'foo', 'PEM block type must be CERTIFICATE REQUEST'],
    [
      'another block',
      ecdsa.replaceAll('CERTIFICATE REQUEST', 'CERTIFICATE'),
      'PEM block type must be CERTIFICATE REQUEST',
    ],
    [
      'cut off',
      '-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n',
      'asn1: syntax error: data truncated',
    ],
  ];

  it.each(cases)('%s', (_name, pem, error) => {
    expect(certificateRequestError(pem)).toBe(error);
  });

  it('with a signature over something else', () => {
    expect(certificateRequestError(tampered)).toBe('x509: signature verification error');
  });
});

describe('signer names', () => {
  it.each([
    [undefined, 1],
    ['example.com/name', 0],
    ['example.com/a.b', 0],
    ['example.com', 1],
    ['local/name', 1],
    ['Example.com/name', 1],
    ['example.com/', 1],
    ['a/b/c', 1],
  ])('%s', (name, count) => {
    expect(validateSignerName(name, 'p')).toHaveLength(count);
  });
});

describe('signing requests', () => {
  const cases: [name: string, change: object, errors: string[]][] = [
    ['complete', {}, []],
    ['no usages', { usages: [] }, ['spec.usages Required']],
    [
      'usages',
      { usages: ['client auth', 'odd', 'client auth'] },
      ['spec.usages[1] NotSupported', 'spec.usages[2] Duplicate'],
    ],
    ['legacy signer', { signerName: 'kubernetes.io/legacy-unknown' }, ['spec.signerName Invalid']],
    ['duration', { expirationSeconds: 1 }, ['spec.expirationSeconds Invalid']],
    ['request', { request: base64('foo') }, ['spec.request Invalid']],
  ];

  it.each(cases)('%s', (_name, change, errors) => {
    expect(create(key, { spec: { ...spec, ...change } }).errors).toEqual(errors);
  });

  const change = (subresource: string, now: object, before: object = {}): string[] => {
    const make = (status: object): KubeObject => newObject(key, { spec, status });
    const errors = strategies.get(key)?.validateUpdate?.(make(now), make(before), { nowMs: 0, subresource }) ?? [];
    return errors.map(({ field, type, message }) => `${field} ${type.slice(10)} ${message.split(': ').at(-1)}`);
  };
  const approved = { type: 'Approved', status: 'True' };
  const denied = { type: 'Denied', status: 'True' };
  const updates: [subresource: string, now: object, before: object, errors: RegExp[]][] = [
    ['approval', { conditions: [approved] }, {}, []],
    ['approval', { conditions: [{ ...approved, status: 'False' }] }, {}, [/conditions\[0\].status NotSupported/]],
    ['approval', { conditions: [{ type: '', status: '' }] }, {}, [/type Required/, /status Required/]],
    ['approval', { conditions: [approved, denied] }, {}, [/conditions Invalid .*mutually exclusive/]],
    ['approval', { conditions: [approved, approved] }, {}, [/conditions\[1\].type Duplicate/]],
    ['approval', {}, { conditions: [approved] }, [/may not remove a condition of type "Approved"/]],
    ['approval', { certificate: base64('x') }, {}, [/certificate Invalid/, /may not set certificate content/]],
    ['status', { conditions: [approved] }, {}, [/may not add a condition of type "Approved"/]],
    ['status', { conditions: [{ ...approved, reason: 'b' }] }, { conditions: [approved] }, [/may not modify/]],
    ['status', { certificate: base64('x') }, {}, [/must contain at least one CERTIFICATE PEM block/]],
    ['status', { certificate: base64(ecdsa) }, {}, [/only CERTIFICATE PEM blocks are allowed/]],
    ['status', { certificate: 'YQ==' }, { certificate: 'Yg==' }, [/may not modify existing certificate content/]],
  ];

  it('decisions stay as they are when the status is written', () => {
    const decided = { ...approved, reason: 'a', lastUpdateTime: 't', lastTransitionTime: 't' };
    const object = newObject(key, { spec, status: { conditions: [denied, { ...approved, reason: 'b' }] } });
    const old = newObject(key, { spec, status: { conditions: [decided] } });
    strategies.get(key)?.prepareForUpdate?.(object, old, { nowMs: 0, subresource: 'status' });
    expect(object.status).toMatchObject({ conditions: [{ type: 'Denied' }, decided] });
  });

  it.each(updates)('%s: %j after %j', (subresource, now, before, expected) => {
    const errors = change(subresource, now, before);
    expect(errors).toHaveLength(expected.length);
    for (const [i, pattern] of expected.entries()) expect(errors[i]).toMatch(pattern);
  });
});
