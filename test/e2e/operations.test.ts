import { mkdtemp, writeFile } from 'node:fs/promises';
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { type ClientHttp2Session, connect } from 'node:http2';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Cluster, eventually, missingForE2E } from './cluster.ts';
import { endAll } from './ending.ts';

const missing = await missingForE2E();
if (missing !== undefined) console.error(`end-to-end tests are skipped: ${missing}`);

const DELAY_MS = 10_000;
const USERS = 'admin-token,admin,1,"system:masters"\njane-token,jane,2\n';

interface Reply {
  readonly code: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

describe.skipIf(missing !== undefined)('operations', () => {
  let cluster: Cluster;
  const agent = new Agent({ keepAlive: true, rejectUnauthorized: false });
  beforeAll(async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'kube-lite-e2e-'));
    await writeFile(join(dataDir, 'users.csv'), USERS);
    const flags = ['--token-auth-file', join(dataDir, 'users.csv'), '--shutdown-delay-duration', `${DELAY_MS}ms`];
    cluster = await Cluster.start({ dataDir, node: false, flags });
  });
  afterAll(() =>
    endAll(
      () => agent.destroy(),
      () => cluster?.remove(),
    ),
  );

  function open(path: string, headers: Record<string, string> = {}, method = 'GET'): ClientRequest {
    const all = { authorization: 'Bearer admin-token', ...headers };
    return request({ host: '127.0.0.1', port: cluster.port, path, method, agent, headers: all });
  }

  async function answerOf(outgoing: ClientRequest): Promise<Reply> {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      outgoing.once('response', resolve);
      outgoing.once('error', reject);
    });
    let text = '';
    for await (const chunk of response) text += chunk;
    return { code: response.statusCode ?? 0, headers: response.headers, text };
  }

  function get(path: string, headers: Record<string, string> = {}): Promise<Reply> {
    const outgoing = open(path, headers);
    outgoing.end();
    return answerOf(outgoing);
  }

  test('health by check, verbose, with exclusions', async () => {
    const verbose = (await get('/readyz?verbose')).text;
    for (const name of ['ping', 'etcd', 'informer-sync', 'poststarthook/rbac/bootstrap-roles', 'shutdown'])
      expect(verbose).toContain(`[+]${name} ok\n`);
    expect(verbose).toMatch(/\nreadyz check passed\n$/);
    expect((await get('/livez?verbose')).text).not.toContain('shutdown');
    expect(await get('/healthz/poststarthook/rbac/bootstrap-roles')).toMatchObject({ code: 200, text: 'ok' });
    expect((await get('/readyz/nothing')).code).toBe(404);
    const excluded = (await get('/readyz?verbose&exclude=etcd&exclude=foo')).text;
    expect(excluded).toContain('[+]etcd excluded: ok\n');
    expect(excluded).toContain('warn: some health checks cannot be excluded: no matches for "foo"\n');
  });

  test('metrics have the names that dashboards ask for', async () => {
    await get('/api/v1/namespaces');
    const namespaces = /^apiserver_storage_objects\{resource="namespaces"\} 4$/m;
    const text = await eventually('all namespaces are there', async () => {
      const metrics = (await get('/metrics')).text;
      return namespaces.test(metrics) && metrics;
    });
    const names = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
    for (const name of [
      'apiserver_admission_controller_admission_duration_seconds',
      'apiserver_admission_match_condition_evaluation_seconds',
      'apiserver_admission_step_admission_duration_seconds',
      'apiserver_admission_webhook_admission_duration_seconds',
      'apiserver_request_total',
      'apiserver_request_duration_seconds',
      'apiserver_request_sli_duration_seconds',
      'apiserver_request_terminations_total',
      'apiserver_current_inflight_requests',
      'apiserver_longrunning_requests',
      'apiserver_watch_events_total',
      'apiserver_response_sizes',
      'apiserver_cache_list_total',
      'apiserver_current_inqueue_requests',
      'apiserver_mutating_admission_policy_check_total',
      'apiserver_resource_objects',
      'apiserver_storage_events_received_total',
      'apiserver_storage_objects',
      'apiserver_tls_handshake_errors_total',
      'apiserver_validating_admission_policy_check_total',
      'apiserver_flowcontrol_dispatched_requests_total',
      'apiserver_client_certificate_expiration_seconds',
      'apiserver_requested_deprecated_apis',
      'authenticated_user_requests',
      'authentication_attempts',
      'authorization_attempts_total',
      'etcd_request_duration_seconds',
      'kubernetes_build_info',
      'process_cpu_seconds_total',
      'process_resident_memory_bytes',
      'process_start_time_seconds',
      'workqueue_adds_total',
      'workqueue_depth',
      'workqueue_longest_running_processor_seconds',
      'workqueue_retries_total',
      'workqueue_unfinished_work_seconds',
      'workqueue_queue_duration_seconds',
      'workqueue_work_duration_seconds',
    ])
      expect(names).toContain(name);
    expect(text).toContain('# TYPE process_cpu_seconds_total counter\n');
    expect(text).toMatch(
      /^apiserver_request_total\{verb="LIST",group="",version="v1",resource="namespaces",subresource="",scope="cluster",component="apiserver",dry_run="",code="200"\} [1-9]/m,
    );
    expect(text).toMatch(
      /^etcd_request_duration_seconds_count\{operation="create",group="",resource="namespaces"\} 4$/m,
    );
  });

  test('profiles for those who may see them', async () => {
    expect((await get('/debug/pprof/', { authorization: 'Bearer jane-token' })).code).toBe(403);
    expect((await get('/debug/pprof/')).text).toContain('profile?seconds=30');
    const profile = JSON.parse((await get('/debug/pprof/profile?seconds=1')).text);
    expect(profile).toMatchObject({ nodes: expect.any(Array), samples: expect.any(Array) });
    const goroutine = await get('/debug/pprof/goroutine');
    expect(goroutine.code).toBe(501);
    expect(goroutine.text).toContain("goroutine is a profile of Go's runtime");
  });

  test('a request keeps the identifier that it comes with', async () => {
    expect((await get('/version', { 'audit-id': 'mine' })).headers['audit-id']).toBe('mine');
    expect((await get('/version', { 'audit-id': 'x'.repeat(100) })).headers['audit-id']).toBe('x'.repeat(64));
    expect((await get('/version')).headers['audit-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('the server ends in good order', async () => {
    const watching = open('/api/v1/configmaps?watch=1');
    watching.end();
    let watchEnd: 'clean' | 'broken' | undefined;
    const watchEnded = answerOf(watching).then(
      () => {
        watchEnd = 'clean';
      },
      () => {
        watchEnd = 'broken';
      },
    );
    const session = await sessionOf(cluster.port);
    const goaway = new Promise<void>((resolve) => session.once('goaway', () => resolve()));
    const body = JSON.stringify({ metadata: { name: 'late' } });
    const slow = open(
      '/api/v1/namespaces/default/configmaps',
      { 'content-type': 'application/json', 'content-length': String(body.length) },
      'POST',
    );
    const slowAnswer = answerOf(slow);
    slow.write(body.slice(0, 5));
    await get('/readyz');

    const ended = cluster.signal('SIGTERM');
    const failing = await eventually('/readyz fails', async () => {
      const reply = await get('/readyz');
      return reply.code === 500 && reply;
    });
    expect(failing.text).toContain('[-]shutdown failed: reason withheld\n');
    expect(failing.text).toMatch(/readyz check failed\n$/);
    expect((await get('/livez')).text).toBe('ok');
    expect((await get('/api/v1/namespaces')).code).toBe(200);
    expect(watchEnd).toBeUndefined();

    await watchEnded;
    expect(watchEnd).toBe('clean');
    await goaway;
    session.destroy();
    slow.end(body.slice(5));
    const answer = await slowAnswer;
    expect(answer.code).toBe(201);
    expect(answer.headers.connection).toBe('close');
    expect(await ended).toBe(0);
    cluster.launch();
    await cluster.apiReady();
    expect(await cluster.ok(['get', 'configmap', 'late', '-o', 'name'])).toBe('configmap/late\n');
  });
});

function sessionOf(port: number): Promise<ClientHttp2Session> {
  return new Promise((resolve, reject) => {
    const session = connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
    session.once('connect', () => resolve(session));
    session.once('error', reject);
  });
}
