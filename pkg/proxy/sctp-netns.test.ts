import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemExec } from '../base/exec.ts';
import { ProxiedNode } from './testing/proxied-node.ts';

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
  const node = new ProxiedNode();
  const { network } = node;

  beforeAll(async () => {
    await network.open();
    await network.addPod('server', '10.42.0.2');
    await network.addPod('client', '10.42.0.3');
    const endpoints = ['10.42.0.2'];
    node.addService('diameter', '10.43.0.20', { port: 3868, protocol: 'SCTP', nodePort: 30868, endpoints });
    await node.start();
  });

  afterAll(() => node.close());

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
