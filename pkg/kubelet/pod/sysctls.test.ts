import { expect, test } from 'vitest';
import type { Pod } from '../types.ts';
import { forbiddenSysctl, sysctlName } from './sysctls.ts';

const pod = (name: string, spec: object = {}): Pod =>
  ({ metadata: {}, spec: { ...spec, securityContext: { sysctls: [{ name, value: '1' }] } } }) as unknown as Pod;

test.each([
  ['kernel.shm_rmid_forced', {}, [], undefined],
  ['net/ipv4/tcp_syncookies', {}, [], undefined],
  ['kernel.msgmax', {}, [], 'forbidden sysctl: "kernel.msgmax" not allowlisted'],
  ['kernel.msgmax', {}, ['kernel.msg*'], undefined],
  ['net.core.somaxconn', {}, ['net.core.somaxconn'], undefined],
  ['net.core.somaxconn2', {}, ['net.core.somaxconn'], 'forbidden sysctl: "net.core.somaxconn2" not allowlisted'],
  [
    'net.ipv4.tcp_rmem',
    { hostNetwork: true },
    [],
    'forbidden sysctl: "net.ipv4.tcp_rmem" not allowed with host Net enabled',
  ],
  [
    'kernel.shm_rmid_forced',
    { hostIPC: true },
    [],
    'forbidden sysctl: "kernel.shm_rmid_forced" not allowed with host IPC enabled',
  ],
  ['kernel.shm_rmid_forced', { hostNetwork: true }, [], undefined],
])('%s with %o and %o allowed', (name, spec, allowed, reason) => {
  expect(forbiddenSysctl(pod(name, spec), allowed)).toBe(reason);
});

test('names are written with dots', () => {
  expect(sysctlName('net/ipv4/conf/eno2.100/rp_filter')).toBe('net.ipv4.conf.eno2/100.rp_filter');
  expect(sysctlName('net.ipv4.conf.eno2/100.rp_filter')).toBe('net.ipv4.conf.eno2/100.rp_filter');
});
