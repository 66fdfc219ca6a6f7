import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Cluster, eventually, missingForE2E } from './cluster.ts';

const missing = await missingForE2E();
if (missing !== undefined) console.error(`end-to-end tests are skipped: ${missing}`);

/** One pod that looks at its volume `/v` and prints what it sees. */
interface Case {
  readonly volume: object;
  readonly script: string;
  readonly printed: string | RegExp;
  readonly spec?: object;
  readonly container?: object;
}

const user = (runAsUser: number, fsGroup?: number): object => ({ securityContext: { runAsUser, fsGroup } });
const WRITE = 'umask 022; echo x >/v/f; stat -c "%a %u" /v/f';
const token = { projected: { sources: [{ serviceAccountToken: { path: 'token', expirationSeconds: 600 } }] } };
const TOKEN = 'stat -Lc "%a %u %g" /v/token';
const field = (path: string, fieldPath: string): object => ({ path, fieldRef: { fieldPath } });
const amount = (path: string, resource: string): object => ({
  path,
  resourceFieldRef: { containerName: 'main', resource },
});

const cases: Readonly<Record<string, Case>> = {
  'empty-dir': { volume: { emptyDir: {} }, script: 'stat -c %a /v', printed: '777\n' },
  'empty-dir-user': { volume: { emptyDir: {} }, script: WRITE, printed: '644 1001\n', spec: user(1001) },
  'empty-dir-memory': {
    volume: { emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
    script: 'stat -c %a /v; stat -fc %T /v; dd if=/dev/zero of=/v/f bs=1M count=2 2>&1 | grep -o "No space left"',
    printed: '777\ntmpfs\nNo space left\n',
  },
  'empty-dir-group': {
    volume: { emptyDir: {} },
    script: 'stat -c "%a %g" /v; touch /v/f; stat -c %g /v/f',
    printed: '2777 1234\n1234\n',
    spec: user(1001, 1234),
  },
  'config-map-mode': {
    volume: { configMap: { name: 'm', defaultMode: 0o400 } },
    script: 'stat -Lc "%n %a" /v/a /v/b; ls -A /v | head -1 | cut -c 1-4; readlink /v/a',
    printed: '/v/a 400\n/v/b 400\n..20\n..data/a\n',
  },
  'config-map-items': {
    volume: { configMap: { name: 'm', items: [{ key: 'a', path: 'deep/er', mode: 0o440 }] } },
    script: 'find /v/deep/ -type f; stat -Lc %a /v/deep/er; cat /v/deep/er; touch /v/x 2>&1 | grep -o "Read-only"',
    printed: '/v/deep/er\n440\nalphaRead-only\n',
  },
  'config-map-user': {
    volume: { configMap: { name: 'm', defaultMode: 0o440 } },
    script: 'cat /v/a; stat -Lc "%a %g" /v/a',
    printed: 'alpha440 1234\n',
    spec: user(1001, 1234),
  },
  'config-map-binary': { volume: { configMap: { name: 'm' } }, script: 'od -An -tx1 /v/b', printed: ' 00 ff fe\n' },
  'secret-mode': {
    volume: { secret: { secretName: 's', defaultMode: 0o400, items: [{ key: 'k', path: 'new' }] } },
    script: 'stat -Lc %a /v/new; cat /v/new; stat -fc %T /v',
    printed: '400\nhiddentmpfs\n',
  },
  optional: {
    volume: { projected: { sources: [{ secret: { name: 'none', optional: true } }, { configMap: { name: 'm' } }] } },
    script: 'ls /v',
    printed: 'a\nb\n',
  },
  combined: {
    volume: {
      projected: {
        defaultMode: 0o600,
        sources: [
          { configMap: { name: 'm', items: [{ key: 'a', path: 'map/a' }] } },
          { secret: { name: 's', items: [{ key: 'k', path: 'secret', mode: 0o400 }] } },
          { downwardAPI: { items: [field('name', 'metadata.name')] } },
        ],
      },
    },
    script: 'cat /v/map/a /v/secret /v/name; echo; stat -Lc %a /v/map/a /v/secret',
    printed: 'alphahiddencombined\n600\n400\n',
  },
  downward: {
    volume: {
      downwardAPI: {
        items: [
          field('labels', 'metadata.labels'),
          field('uid', 'metadata.uid'),
          amount('cpu', 'limits.cpu'),
          amount('memory', 'requests.memory'),
        ],
      },
    },
    script: 'cat /v/labels; echo; wc -c </v/uid; cat /v/cpu; echo; cat /v/memory',
    printed: 'one="1"\ntwo="b_2"\n36\n2\n33554432',
    container: { resources: { requests: { memory: '32Mi' }, limits: { cpu: '1250m' } } },
  },
  'downward-default': {
    volume: { downwardAPI: { items: [amount('cpu', 'limits.cpu'), amount('memory', 'limits.memory')] } },
    script: 'cat /v/cpu; echo; cat /v/memory',
    printed: /^[1-9]\d*\n[1-9]\d{8,}$/,
  },
  'token-root': { volume: token, script: TOKEN, printed: '644 0 0\n' },
  'token-user': { volume: token, script: TOKEN, printed: '600 1000 0\n', spec: user(1000) },
  'token-user-group': { volume: token, script: TOKEN, printed: '640 1000 10000\n', spec: user(1000, 10_000) },
  'host-path': {
    volume: { hostPath: { path: '/etc', type: 'Directory' } },
    script: 'test -s /v/passwd && echo there',
    printed: 'there\n',
  },
};

describe.skipIf(missing !== undefined)('contents of volumes', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.start();
    await eventually('an account for pods', async () => (await cluster.kubectl(['get', 'sa', 'default'])).code === 0);
    const map = { data: { a: 'alpha' }, binaryData: { b: 'AP/+' }, immutable: true };
    const items: object[] = [
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm' }, ...map },
      { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, stringData: { k: 'hidden' } },
    ];
    for (const [name, { volume, script, spec, container }] of Object.entries(cases)) {
      const main = {
        name: 'main',
        image: 'busybox:test',
        command: ['sh', '-c', script],
        volumeMounts: [{ name: 'v', mountPath: '/v' }],
        ...container,
      };
      items.push({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, labels: { one: '1', two: 'b_2' } },
        spec: { restartPolicy: 'Never', containers: [main], volumes: [{ name: 'v', ...volume }], ...spec },
      });
    }
    await cluster.apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  });
  afterAll(() => cluster?.remove());

  test.each(Object.entries(cases))('%s', async (name, { printed }) => {
    await eventually(`${name} ended`, async () => {
      const phase = await cluster.ok(['get', 'pod', name, '-o', 'jsonpath={.status.phase}']);
      return phase === 'Succeeded' || phase === 'Failed';
    });
    const output = await cluster.ok(['logs', name]);
    if (typeof printed === 'string') expect(output).toBe(printed);
    else expect(output).toMatch(printed);
  });
});
