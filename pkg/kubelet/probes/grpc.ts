import { credentials, Client as GrpcClient, Metadata, status } from '@grpc/grpc-js';
import { hostPort } from './http.ts';

const SERVING = 1;
const NAMES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];

/** grpc.health.v1.Health/Check. Resolves with a failure text, or undefined when the service serves. */
export function grpcCheck(host: string, port: number, service: string, timeoutMs: number): Promise<string | undefined> {
  const address = hostPort(host, port);
  const client = new GrpcClient(address, credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
    // Pods are never behind the node's proxy.
    'grpc.enable_http_proxy': 0,
  });
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      '/grpc.health.v1.Health/Check',
      encodeRequest,
      decodeStatus,
      service,
      new Metadata(),
      { deadline: Date.now() + timeoutMs },
      (error, serving) => {
        client.close();
        if (error === null) {
          const name = NAMES[serving ?? 0] ?? 'UNKNOWN';
          resolve(serving === SERVING ? undefined : `service unhealthy (responded with "${name}")`);
        } else if (error.code === status.UNIMPLEMENTED) {
          resolve(`this server does not implement the grpc health protocol (grpc.health.v1.Health)`);
        } else if (error.code === status.DEADLINE_EXCEEDED) {
          resolve(`timeout: health rpc did not complete within ${timeoutMs / 1000}s`);
        } else if (error.code === status.UNAVAILABLE) {
          const within = `within ${timeoutMs / 1000}s: context deadline exceeded`;
          resolve(`timeout: failed to connect service "${address}" ${within}`);
        } else resolve(`health rpc failed: ${error.details}`);
      },
    );
  });
}

/** HealthCheckRequest: field 1 is the service's name. */
function encodeRequest(service: string): Buffer {
  const name = Buffer.from(service);
  if (name.length === 0) return Buffer.alloc(0);
  const length: number[] = [];
  let rest = name.length;
  for (; rest > 0x7f; rest >>= 7) length.push((rest & 0x7f) | 0x80);
  return Buffer.concat([Buffer.from([0x0a, ...length, rest]), name]);
}

/** HealthCheckResponse: field 1 is the serving status. */
function decodeStatus(bytes: Buffer): number {
  return bytes[0] === 0x08 ? (bytes[1] ?? 0) : 0;
}
