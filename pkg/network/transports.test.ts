import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Exec, ExecResult } from '../base/exec.ts';
import { HostGateway } from './host-gateway.ts';
import { HostState } from './host-state.ts';
import { macOf, VXLAN } from './vxlan.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'transports-'));
});
afterAll(() => rm(directory, { recursive: true }));

/** A host on which commands that match fail with this text. */
function failing(pattern: RegExp, stderr: string): Exec & { readonly commands: string[] } {
  const commands: string[] = [];
  return {
    commands,
    run(command, args, options): Promise<ExecResult> {
      const line = [command, ...args].join(' ');
      if (args[0] === '-batch')
        for (const one of String(options?.input).trim().split('\n')) commands.push(`${command} ${one}`);
      else commands.push(line);
      return Promise.resolve(
        pattern.test(line) ? { code: 2, stdout: '', stderr } : { code: 0, stdout: '[]', stderr: '' },
      );
    },
  };
}

test('host-gw: a node in another segment is named, and keeps no other from being reached', async () => {
  const exec = failing(/198\.51\.100\.9/, 'Error: Nexthop has invalid gateway.\n');
  const transport = new HostGateway(exec, new HostState(join(directory, 'gateway.json')));
  const peers = [
    { node: 'far', podCIDR: '10.42.1.0/24', nodeIP: '198.51.100.9', addresses: [] },
    { node: 'near', podCIDR: '10.42.2.0/24', nodeIP: '192.0.2.3', addresses: ['192.0.2.3'] },
  ];
  await expect(transport.ensure(peers)).rejects.toThrow(
    'the backend host-gw needs all nodes in one network segment, which it cannot route to: 198.51.100.9 (Error: Nexthop has invalid gateway.)',
  );
  expect(exec.commands.at(-1)).toBe('ip route replace 10.42.2.0/24 via 192.0.2.3');
});

test.each(['RTNETLINK answers: Operation not supported', 'Error: Unknown device type.'])(
  'VXLAN: a kernel without it: %s',
  async (stderr) => {
    const exec = failing(/link add/, stderr);
    const options = {
      device: 'kl-test',
      podCIDRs: () => ['10.42.0.0/24'],
      nodeAddresses: ['192.0.2.2'],
      underlayMTU: () => Promise.resolve(1500),
    };
    const transport = new VXLAN(options, { exec, state: new HostState(join(directory, 'tunnel.json')) });
    await expect(
      transport.ensure([{ node: 'n2', podCIDR: '10.42.1.0/24', nodeIP: '192.0.2.3', addresses: ['192.0.2.3'] }]),
    ).rejects.toThrow(/no VXLAN.* load its module vxlan, or start the server with --network-backend host-gw/);
  },
);

test('VXLAN: a machine with a new name is reached although the node that it was is still there', async () => {
  const exec = failing(/^$/, '');
  const options = {
    device: 'kl-test',
    podCIDRs: () => ['10.42.0.0/24'],
    nodeAddresses: ['192.0.2.2'],
    underlayMTU: () => Promise.resolve(1500),
  };
  const transport = new VXLAN(options, { exec, state: new HostState(join(directory, 'renamed.json')) });
  await transport.ensure([
    { node: 'old', podCIDR: '10.42.1.0/24', nodeIP: '192.0.2.3', addresses: ['192.0.2.3'] },
    { node: 'new', podCIDR: '10.42.2.0/24', nodeIP: '192.0.2.3', addresses: ['192.0.2.3'] },
  ]);
  for (const podCIDR of ['10.42.1.0/24', '10.42.2.0/24']) {
    const mac = macOf([podCIDR]);
    expect(exec.commands).toContain(`bridge fdb replace ${mac} dev kl-test dst 192.0.2.3`);
    expect(exec.commands).toContain(`ip neigh replace ${podCIDR.slice(0, -3)} lladdr ${mac} dev kl-test nud permanent`);
  }
});
