import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { resources } from '../api/generated/resources.ts';
import type { EndpointSlice, Service } from '../api/generated/types.ts';
import { systemClock } from '../base/clock.ts';
import { systemExec } from '../base/exec.ts';
import { silentLogger } from '../base/logger.ts';
import { createInformers } from '../client/informers.ts';
import { FakeCluster } from '../client/testing/fake-cluster.ts';
import { createProxy } from './proxy.ts';
import { TestNetwork } from './testing/namespaces.ts';

/** Begins an association with ADDRESS PORT: one INIT in a packet of its own, for many kernels have no SCTP sockets. */
const SEND = `
import socket, struct, sys
def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82f63b78 if crc & 1 else 0)
    return struct.pack('<I', crc ^ 0xffffffff)
chunk = struct.pack('!BBHIIHHI', 1, 0, 20, 0x11223344, 65536, 1, 1, 1)
ports = struct.pack('!HHI', int(sys.argv[3]), int(sys.argv[2]), 0)
packet = ports + crc32c(ports + bytes(4) + chunk) + chunk
socket.socket(socket.AF_INET, socket.SOCK_RAW, 132).sendto(packet, (sys.argv[1], 0))
`;

/** Prints the source, and the ports of the packets that come, one on each line, for as many as are wanted. */
const RECEIVE = `
import socket, struct, sys
receiver = socket.socket(socket.AF_INET, socket.SOCK_RAW, 132)
receiver.settimeout(20)
for _ in range(int(sys.argv[1])):
    data, (source, _) = receiver.recvfrom(2000)
    at = (data[0] & 15) * 4
    print(source, *struct.unpack('!HH', data[at:at + 4]), flush=True)
`;

const python = await systemExec.run('python3', ['--version']).catch(() => undefined);
const missing = process.getuid?.() !== 0 ? 'not root' : python?.code === 0 ? undefined : 'python3 is missing';
if (missing !== undefined) console.warn(`SKIPPED pkg/proxy/sctp-netns.test.ts: ${missing}`);

describe.skipIf(missing !== undefined)('SCTP', () => {
  const network = new TestNetwork();
  const cluster = new FakeCluster();
  const controller = new AbortController();
  const running: Promise<void>[] = [];

  beforeAll(async () => {
    await network.open();
    await network.addPod('server', '10.42.0.2');
    await network.addPod('client', '10.42.0.3');
    const ports = [{ port: 3868, protocol: 'SCTP', targetPort: 8080, nodePort: 30868 }];
    cluster.add<Service>(resources.services, {
      metadata: { name: 'diameter', namespace: 'a' },
      spec: { type: 'NodePort', clusterIP: '10.43.0.20', clusterIPs: ['10.43.0.20'], ports },
      status: {},
    });
    cluster.add<EndpointSlice>(resources.endpointslices, {
      metadata: { name: 'diameter', namespace: 'a', labels: { 'kubernetes.io/service-name': 'diameter' } },
      addressType: 'IPv4',
      ports: [{ port: 8080, protocol: 'SCTP' }],
      endpoints: [{ addresses: ['10.42.0.2'], nodeName: 'node' }],
    });
    const deps = { clock: systemClock, logger: silentLogger };
    const informers = createInformers(cluster.client, deps);
    const networks = { clusterCIDRs: ['10.42.0.0/16'], serviceCIDRs: ['10.43.0.0/16'] };
    const options = { nodeName: 'node', table: 'kube-lite-test', ...networks };
    const proxy = createProxy(options, { ...deps, informers, exec: network.exec('node') });
    running.push(informers.run(controller.signal, () => {}));
    await new Promise<void>((resolve, reject) => {
      running.push(proxy.run(controller.signal, resolve));
      running.at(-1)?.catch(reject);
    });
  }, 60_000);

  afterAll(async () => {
    controller.abort();
    await Promise.all(running);
    await network.close();
  });

  test('an association begun with a cluster IP or a node port reaches the pod on its port', async () => {
    const received = network.exec('server').run('python3', ['-c', RECEIVE, '2']);
    let over = false;
    void received.then(() => {
      over = true;
    });
    const send = (from: string, ...target: readonly string[]): Promise<unknown> =>
      network.exec(from).run('python3', ['-c', SEND, ...target]);
    // The receiver may not listen yet: then the packets are sent again.
    while (!over) {
      await send('client', '10.43.0.20', '3868', '40001');
      await send('outside', '192.168.77.1', '30868', '40002');
    }
    const { stdout } = await received;
    expect(stdout).toContain('10.42.0.3 40001 8080\n');
    expect(stdout).toMatch(/^10\.42\.0\.1 \d+ 8080$/m);
  });
});
