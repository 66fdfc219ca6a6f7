import { describe, expect, test } from 'vitest';
import { checkProxyableHost, checkProxyableIP } from './proxyable.ts';

describe('addresses that may be proxied to', () => {
  test.each(['10.42.0.5', '192.168.1.1', '8.8.8.8', 'fd00::1', '2001:db8::1'])('%s', (address) => {
    expect(() => checkProxyableIP(address)).not.toThrow();
  });

  test.each([
    '127.0.0.1',
    '127.8.8.8',
    '0.0.0.0',
    '169.254.169.254',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    'fe80::1',
    'ff02::1',
    '::ffff:127.0.0.1',
    '',
    'localhost',
  ])('not %s', (address) => {
    expect(() => checkProxyableIP(address)).toThrow('address not allowed');
  });

  test('names: every address counts', async () => {
    const addresses: Record<string, string[]> = { node: ['10.0.0.1'], evil: ['10.0.0.1', '127.0.0.1'], none: [] };
    const lookup = async (name: string) => addresses[name] ?? Promise.reject(new Error('no such host'));
    await expect(checkProxyableHost('node', lookup)).resolves.toBeUndefined();
    await expect(checkProxyableHost('evil', lookup)).rejects.toThrow('address not allowed');
    await expect(checkProxyableHost('none', lookup)).rejects.toThrow('no addresses for hostname');
    await expect(checkProxyableHost('gone', lookup)).rejects.toThrow('lookup gone: no such host');
  });
});
