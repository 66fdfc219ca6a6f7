import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Cluster, eventually, executable, missingForE2E, runCommand } from './cluster.ts';
import { endAll } from './ending.ts';

const missing = await missingForE2E();
if (missing !== undefined) console.error(`end-to-end tests are skipped: ${missing}`);

const POLICY = `
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
omitManagedFields: true
rules:
- { level: None, nonResourceURLs: ["/readyz*", "/livez*"] }
- { level: None, users: ["system:apiserver"] }
- { level: Metadata, resources: [{ group: "", resources: [secrets] }] }
- { level: RequestResponse, resources: [{ group: "", resources: [configmaps] }], namespaces: [default] }
- { level: Metadata, resources: [{ group: "", resources: [pods] }, { group: coordination.k8s.io }] }
- { level: Request, verbs: [create], resources: [{ group: authorization.k8s.io }] }
`;

interface Event {
  readonly auditID: string;
  readonly stage: string;
  readonly verb: string;
  readonly level: string;
  readonly user: { readonly username: string };
  readonly objectRef?: { readonly resource: string; readonly name?: string };
  readonly [field: string]: unknown;
}

describe.skipIf(missing !== undefined)('audit', () => {
  let cluster: Cluster;
  let hook: Server;
  let directory: string;
  let answer: (response: ServerResponse) => void = (response) => response.end('{}');
  const sent: Event[] = [];

  beforeAll(async () => {
    hook = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      sent.push(...(JSON.parse(body) as { items: Event[] }).items);
      answer(response);
    });
    await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
    directory = await mkdtemp(join(tmpdir(), 'kube-lite-audit-'));
    await writeFile(join(directory, 'policy.yaml'), POLICY);
    const kubeconfig = {
      'current-context': 'hook',
      contexts: [{ name: 'hook', context: { cluster: 'hook' } }],
      clusters: [
        { name: 'hook', cluster: { server: `http://127.0.0.1:${(hook.address() as AddressInfo).port}/audit` } },
      ],
    };
    await writeFile(join(directory, 'hook.yaml'), JSON.stringify(kubeconfig));
    cluster = await Cluster.start({
      node: false,
      flags: [
        ...['--audit-policy-file', join(directory, 'policy.yaml')],
        ...['--audit-log-path', join(directory, 'audit.log')],
        ...['--audit-log-maxsize', '1', '--audit-log-maxbackup', '1'],
        ...['--audit-webhook-config-file', join(directory, 'hook.yaml')],
        ...['--audit-webhook-batch-max-wait', '200ms', '--audit-webhook-batch-buffer-size', '50'],
      ],
    });
  });
  afterAll(() =>
    endAll(
      () => cluster?.remove(),
      () => hook?.closeAllConnections(),
      () => hook?.close(),
      () => rm(directory, { recursive: true }),
    ),
  );

  const logged = async (): Promise<Event[]> =>
    (await readFile(join(directory, 'audit.log'), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Event);
  const find = (events: readonly Event[], verb: string, name: string): Event | undefined =>
    events.find((event) => event.verb === verb && event.objectRef?.name === name && event.stage === 'ResponseComplete');

  test('events reach the file and the webhook with what the policy wants', async () => {
    const data = ['--from-literal=key=hidden', '--as=jane', '--as-group=system:masters'];
    await cluster.ok(['create', 'configmap', 'open', ...data]);
    await cluster.ok(['create', 'secret', 'generic', 'closed', ...data]);
    expect((await cluster.kubectl(['get', 'pods', '--as=joe'])).code).toBe(1);
    const open = await eventually('the event is in the file', async () => find(await logged(), 'create', 'open'));
    expect(open).toMatchObject({
      kind: 'Event',
      apiVersion: 'audit.k8s.io/v1',
      level: 'RequestResponse',
      user: { username: expect.any(String), groups: expect.arrayContaining(['system:masters']) },
      impersonatedUser: { username: 'jane', groups: ['system:masters', 'system:authenticated'] },
      sourceIPs: ['127.0.0.1'],
      userAgent: expect.stringMatching(/^kubectl/),
      objectRef: { resource: 'configmaps', namespace: 'default', name: 'open', apiVersion: 'v1' },
      responseStatus: { metadata: {}, code: 201 },
      requestObject: { kind: 'ConfigMap', data: { key: 'hidden' } },
      responseObject: { kind: 'ConfigMap', metadata: { name: 'open', uid: expect.any(String) } },
      annotations: { 'authorization.k8s.io/decision': 'allow' },
    });
    expect(JSON.stringify(open)).not.toContain('managedFields');
    const closed = await eventually('the event is sent', async () => find(sent, 'create', 'closed'));
    expect(closed.level).toBe('Metadata');
    expect(JSON.stringify(await logged())).not.toContain(Buffer.from('hidden').toString('base64'));
    const refused = await eventually('the refusal is in the file', async () =>
      (await logged()).find((event) => event.verb === 'list' && event['impersonatedUser'] !== undefined),
    );
    expect(refused).toMatchObject({
      responseStatus: { status: 'Failure', reason: 'Forbidden', code: 403 },
      annotations: { 'authorization.k8s.io/decision': 'forbid' },
    });
    await eventually('both have the same', async () => find(sent, 'create', 'open') !== undefined);
  });

  test('watches begin and end, what comes from within is recorded, what the policy leaves out is not', async () => {
    const label = `try=${Date.now()}`;
    const watching = cluster.spawnKubectl(['get', 'configmaps', '--watch', '-l', label]);
    const watches = async (stage: string) =>
      (await logged()).filter(
        (event) =>
          event.verb === 'watch' &&
          event.stage === stage &&
          event.objectRef?.resource === 'configmaps' &&
          String(event['requestURI']).includes(encodeURIComponent(label)),
      );
    await eventually('begun', async () => (await watches('ResponseStarted')).length === 1);
    watching.kill();
    const [end] = await eventually('ended', async () => {
      const found = await watches('ResponseComplete');
      return found.length === 1 && found;
    });
    expect(end?.auditID).toBe((await watches('ResponseStarted'))[0]?.auditID);
    const events = await logged();
    expect(events.some(({ user }) => user.username === 'system:kube-controller-manager')).toBe(true);
    expect(events.some((event) => /^\/(readyz|livez)/.test(String(event['requestURI'])))).toBe(false);
  });

  test('a webhook that answers with garbage, floods or refuses is no reason to wait or to stop', async () => {
    const flood = (response: ServerResponse): void => {
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
      };
      response.on('drain', more);
      more();
    };
    const rude: [string, typeof answer][] = [
      ['garbage', (response) => response.end('<html>\u0000')],
      ['flood', flood],
      ['refusal', (response) => response.writeHead(400).end('no')],
    ];
    for (const [name, behave] of rude) {
      answer = behave;
      await cluster.ok(['create', 'configmap', name]);
      await eventually(`${name} is sent`, async () => find(sent, 'create', name) !== undefined);
    }
    answer = (response) => response.end('{}');
    await cluster.ok(['create', 'configmap', 'well']);
    await eventually('others are sent', async () => find(sent, 'create', 'well') !== undefined);
    expect(await cluster.ok(['get', '--raw', '/readyz'])).toBe('ok');
  });

  test('a webhook that hangs delays nobody; the file is put aside', async () => {
    answer = () => {};
    const big = 'x'.repeat(16_000);
    // Far more than what fits into the batch that hangs and the buffer behind it.
    const maps = Array.from({ length: 250 }, (_, i) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: `big-${i}`, namespace: 'default' },
      data: { big },
    }));
    const started = Date.now();
    await cluster.ok(['create', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: maps }));
    // If each waited for the webhook, they would take as many times its timeout.
    expect(Date.now() - started).toBeLessThan(60_000);
    const metrics = await cluster.ok(['get', '--raw', '/metrics']);
    expect(metrics).toMatch(/kube_lite_audit_dropped_events_total\{plugin="webhook"\} [1-9]/);
    expect(metrics).not.toMatch(/kube_lite_audit_dropped_events_total\{plugin="log"\} [1-9]/);
    const aside = async () => (await readdir(directory)).filter((name) => /^audit-2.*\.log$/.test(name));
    await eventually('only one is kept', async () => (await aside()).length === 1);
    await eventually('the last one is logged', async () => find(await logged(), 'create', 'big-249'));
    answer = (response) => response.end('{}');
    hook.closeAllConnections();
  });

  test('a wrong policy is refused with file, line and field', async () => {
    const file = join(directory, 'wrong.yaml');
    await writeFile(file, 'apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- level: Everything\n');
    const dataDir = join(directory, 'data');
    const args = ['server', '--data-dir', dataDir, '--audit-policy-file', file, '--audit-log-path', '-'];
    const result = await runCommand(executable, args);
    expect(result.code).not.toBe(0);
    expect(result.stderr).toContain(`${file}:4: rules[0].level: "Everything" is not one of "None", "Metadata"`);
  });
});
