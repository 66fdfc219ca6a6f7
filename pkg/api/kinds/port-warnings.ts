import type { DeepReadonly } from '../../base/json.ts';
import type { ContainerPort, PodSpec } from '../generated/types.ts';
import { containersOf } from './pod-containers.ts';

type Port = DeepReadonly<ContainerPort>;

interface Seen {
  readonly port: Port;
  readonly path: string;
}

/** Container ports that say nothing, say it twice or contradict each other, over all containers of a pod. */
export function portWarnings(spec: DeepReadonly<PodSpec>, path: string): string[] {
  const warnings: string[] = [];
  const byNumber = new Map<string, Seen[]>();
  for (const [container, containerPath] of containersOf(spec, path)) {
    for (const [i, port] of (container.ports ?? []).entries()) {
      const at = `${containerPath}.ports[${i}]`;
      if (port.hostIP && !port.hostPort) warnings.push(`${at}: hostIP set without hostPort: ${goPort(port)}`);
      const key = `${port.containerPort}/${port.protocol}`;
      const others = byNumber.get(key) ?? [];
      for (const other of others) {
        const what = relation(port, other.port);
        if (what !== undefined) warnings.push(`${at}: ${what} port definition with ${other.path}`);
      }
      byNumber.set(key, [...others, { port, path: at }]);
    }
  }
  return warnings;
}

function relation(port: Port, other: Port): string | undefined {
  const [hostPort, otherHostPort] = [port.hostPort ?? 0, other.hostPort ?? 0];
  const [hostIP, otherHostIP] = [port.hostIP ?? '', other.hostIP ?? ''];
  if (hostIP === otherHostIP && hostPort === otherHostPort) return 'duplicate';
  if (hostPort === 0 || otherHostPort === 0) return 'overlapping';
  if (hostPort === otherHostPort && (hostIP === '') !== (otherHostIP === '')) return 'dangerously ambiguous';
  return undefined;
}

/** As Go prints the struct. */
function goPort({ name = '', hostPort = 0, containerPort, protocol = '', hostIP = '' }: Port): string {
  return `{Name:${name} HostPort:${hostPort} ContainerPort:${containerPort} Protocol:${protocol} HostIP:${hostIP}}`;
}
