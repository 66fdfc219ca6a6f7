import { describe, expect, test } from 'vitest';
import type { Node, Pod } from '../../api/generated/types.ts';
import type { KubeObject } from '../../api/object.ts';
import type { DeepReadonly } from '../../base/json.ts';
import type { ObjectReader } from '../contract.ts';
import { splitProxyName, targetOfNode, targetOfPod, targetOfService } from './proxy-target.ts';

function named(name: string, resource = 'services') {
  return splitProxyName({ name, resource });
}

describe('names of proxied objects', () => {
  test.each([
    ['a', { scheme: '', name: 'a', port: '' }],
    ['a:80', { scheme: '', name: 'a', port: '80' }],
    ['https:a:web', { scheme: 'https', name: 'a', port: 'web' }],
    [':a:', { scheme: '', name: 'a', port: '' }],
  ])('%s', (name, expected) => {
    expect(named(name)).toEqual(expected);
  });

  test.each(['ftp:a:80', ':80', 'a:b:c:d', 'http::80'])('%s is refused', (name) => {
    expect(() => named(name, 'pods')).toThrow(`invalid pod request "${name}"`);
  });
});

const node = {
  metadata: { name: 'n' },
  status: {
    addresses: [
      { type: 'Hostname', address: 'n.example.com' },
      { type: 'InternalIP', address: '10.0.0.1' },
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: 10_251 } },
  },
} as unknown as DeepReadonly<Node>;

describe('targets', () => {
  test.each([
    ['n', { scheme: 'https', host: '10.0.0.1', port: 10_251, isKubelet: true }],
    ['n:10251', { scheme: 'https', host: '10.0.0.1', port: 10_251, isKubelet: true }],
    ['n:9100', { scheme: 'http', host: '10.0.0.1', port: 9100, isKubelet: false }],
    ['https:n:9100', { scheme: 'https', host: '10.0.0.1', port: 9100, isKubelet: false }],
  ])('node %s', (name, expected) => {
    expect(targetOfNode(node, named(name, 'nodes'))).toEqual(expected);
  });

  test('a hollow node is no target', () => {
    const metadata = { ...node.metadata, labels: { 'kube-lite/hollow': 'true' } };
    expect(() => targetOfNode({ ...node, metadata })).toThrow('node n is hollow: it only pretends to run its pods');
  });

  const pod = (ports: object[]) =>
    ({
      metadata: {},
      spec: { containers: [{}, { ports }] },
      status: { podIP: '10.42.0.5' },
    }) as unknown as DeepReadonly<Pod>;
  test.each([
    ['p', [], 'http://10.42.0.5:80'],
    ['https:p:', [], 'https://10.42.0.5:443'],
    ['p', [{ containerPort: 8080 }, { containerPort: 9090 }], 'http://10.42.0.5:8080'],
    ['p:9090', [{ containerPort: 8080 }], 'http://10.42.0.5:9090'],
  ])('pod %s', (name, ports, expected) => {
    const { scheme, host, port } = targetOfPod(pod(ports), named(name, 'pods'));
    expect(`${scheme}://${host}:${port}`).toBe(expected);
  });

  test('a port that is no number is unknown', () => {
    expect(() => targetOfPod(pod([]), named('p:web', 'pods'))).toThrow('unknown port tcp/web');
    expect(() => targetOfPod(pod([]), named('p:70000', 'pods'))).toThrow('unknown port');
  });
});

describe('targets of Services', () => {
  const address = (ip: string, name: string, namespace = 'd') => ({ ip, targetRef: { kind: 'Pod', namespace, name } });
  const objects: Record<string, Record<string, unknown>> = {
    services: { web: { spec: { ports: [{ name: 'http', port: 80 }] } }, plain: { spec: { ports: [{ port: 80 }] } } },
    endpoints: {
      web: { subsets: [{ addresses: [address('10.42.0.5', 'web-1')], ports: [{ name: 'http', port: 8080 }] }] },
      plain: { subsets: [{ addresses: [address('10.42.0.5', 'web-1')], ports: [{ port: 8080 }] }] },
      stolen: {
        subsets: [
          {
            addresses: [
              { ip: '10.42.0.5' },
              address('169.254.169.254', 'web-1'),
              address('10.42.0.5', 'web-1', 'other'),
              address('10.42.0.5', 'gone'),
            ],
            ports: [{ port: 80 }],
          },
        ],
      },
    },
    pods: { 'web-1': { status: { podIPs: [{ ip: '10.42.0.5' }] } } },
  };
  const reader = {
    get: (type: { resource: string }, key: { name: string }) => objects[type.resource]?.[key.name] as KubeObject,
  } as unknown as ObjectReader;
  const target = (name: string) => {
    const split = named(name);
    const { scheme, host, port } = targetOfService({ namespace: 'd', name: split.name }, split, reader);
    return `${scheme}://${host}:${port}`;
  };

  test.each([
    ['web:http', 'http://10.42.0.5:8080'],
    ['https:web:http', 'https://10.42.0.5:8080'],
    ['web:80', 'http://10.42.0.5:8080'],
    ['plain', 'http://10.42.0.5:8080'],
  ])('%s -> %s', (name, expected) => {
    expect(target(name)).toBe(expected);
  });

  test.each([
    ['web', 'no endpoints available for service "web"'],
    ['web:81', 'no service port 81 found for service "web"'],
    ['nobody', 'services "nobody" not found'],
    ['nobody:80', 'services "nobody" not found'],
    ['stolen', 'no endpoints available for service "stolen"'],
  ])('%s is refused', (name, message) => {
    expect(() => target(name)).toThrow(message);
  });
});
