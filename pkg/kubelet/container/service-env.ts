import type { Service } from '../types.ts';

/**
 * Service environment variables (enableServiceLinks): for every Service with a cluster address in the pod's namespace, and
 * always those of `kubernetes` in `default`.
 */
export function serviceEnv(
  services: Iterable<Service>,
  namespace: string,
  enableServiceLinks: boolean,
): Map<string, string> {
  const chosen = new Map<string, Service>();
  for (const service of services) {
    const { name, namespace: where } = service.metadata;
    const ip = service.spec.clusterIP;
    if (ip === undefined || ip === '' || ip === 'None') continue;
    if (where === 'default' && name === 'kubernetes') {
      if (!chosen.has(name)) chosen.set(name, service);
    } else if (where === namespace && enableServiceLinks) chosen.set(name, service);
  }
  const env = new Map<string, string>();
  for (const [name, service] of chosen) addService(env, name, service);
  return env;
}

function addService(env: Map<string, string>, name: string, service: Service): void {
  const prefix = name.toUpperCase().replaceAll('-', '_');
  const { clusterIP = '', ports = [] } = service.spec;
  env.set(`${prefix}_SERVICE_HOST`, clusterIP);
  for (const [index, port] of ports.entries()) {
    if (index === 0) env.set(`${prefix}_SERVICE_PORT`, String(port.port));
    if (port.name !== undefined && port.name !== '') {
      env.set(`${prefix}_SERVICE_PORT_${port.name.toUpperCase().replaceAll('-', '_')}`, String(port.port));
    }
  }
  const host = clusterIP.includes(':') ? `[${clusterIP}]` : clusterIP;
  for (const [index, { port, protocol = 'TCP' }] of ports.entries()) {
    const scheme = protocol.toLowerCase();
    const url = `${scheme}://${host}:${port}`;
    if (index === 0) env.set(`${prefix}_PORT`, url);
    const base = `${prefix}_PORT_${port}_${protocol.toUpperCase()}`;
    env.set(base, url);
    env.set(`${base}_PROTO`, scheme);
    env.set(`${base}_PORT`, String(port));
    env.set(`${base}_ADDR`, clusterIP);
  }
}
