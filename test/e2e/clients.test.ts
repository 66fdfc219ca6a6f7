import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import {
  ApiException,
  ApiextensionsV1Api,
  AppsV1Api,
  Attach,
  CoordinationV1Api,
  CoreV1Api,
  CustomObjectsApi,
  Exec,
  KubeConfig,
  type KubernetesObject,
  KubernetesObjectApi,
  Log,
  makeInformer,
  PatchStrategy,
  PortForward,
  setHeaderOptions,
  type V1ConfigMap,
  type V1Deployment,
  type V1Lease,
  V1MicroTime,
  type V1Pod,
  type V1Status,
  VersionApi,
  Watch,
} from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { oldKubectl } from './clients/kubectl-1.20.ts';
import { type Custom, definitionOf, GROUP, serverPod } from './clients/objects.ts';
import { Cluster, type CommandResult, eventually, missingForE2E, runCommand } from './cluster.ts';

const missing = await missingForE2E();
if (missing !== undefined) console.error(`end-to-end tests are skipped: ${missing}`);

const NAMESPACE = 'default';

describe.skipIf(missing !== undefined)('stock clients', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.start();
  });
  afterAll(() => cluster?.remove());

  describe('the JavaScript client', () => {
    let config: KubeConfig;
    let core: CoreV1Api;
    beforeAll(async () => {
      config = new KubeConfig();
      config.loadFromFile(cluster.kubeconfig);
      core = config.makeApiClient(CoreV1Api);
      await core.createNamespacedPod({ namespace: NAMESPACE, body: serverPod('js-server') });
      await podReady(core, 'js-server');
    });

    test('version and errors', async () => {
      expect(await config.makeApiClient(VersionApi).getCode()).toMatchObject({ major: '1', minor: '36' });
      const failure = await core.readNamespacedPod({ namespace: NAMESPACE, name: 'absent' }).catch((error) => error);
      expect(failure).toBeInstanceOf(ApiException);
      expect(failure.code).toBe(404);
      expect(JSON.parse(failure.body)).toMatchObject({ kind: 'Status', reason: 'NotFound' });
    });

    test('an informer follows objects from before and after its start', async () => {
      const map = (name: string): V1ConfigMap => ({
        metadata: { name, labels: { informed: 'yes' } },
        data: { n: '1' },
      });
      const seen: string[] = [];
      await core.createNamespacedConfigMap({ namespace: NAMESPACE, body: map('js-before') });
      const informer = makeInformer<V1ConfigMap>(
        config,
        `/api/v1/namespaces/${NAMESPACE}/configmaps`,
        () => core.listNamespacedConfigMap({ namespace: NAMESPACE, labelSelector: 'informed=yes' }),
        'informed=yes',
      );
      for (const verb of ['add', 'update', 'delete'] as const)
        informer.on(verb, (object) => seen.push(`${verb} ${object.metadata?.name} ${object.data?.['n']}`));
      informer.on('error', (error) => {
        if (error !== undefined && error?.name !== 'AbortError') seen.push(`error ${error}`);
      });
      await informer.start();
      await core.createNamespacedConfigMap({ namespace: NAMESPACE, body: map('js-after') });
      await core.patchNamespacedConfigMap(
        { namespace: NAMESPACE, name: 'js-after', body: { data: { n: '2' } } },
        setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
      );
      await core.deleteNamespacedConfigMap({ namespace: NAMESPACE, name: 'js-before' });
      await eventually('the informer has seen all', async () => seen.length >= 4);
      expect(seen).toEqual(['add js-before 1', 'add js-after 1', 'update js-after 2', 'delete js-before 1']);
      expect(informer.list(NAMESPACE).map((object) => object.metadata?.name)).toEqual(['js-after']);
      await informer.stop();
    });

    test('watch from a resource version', async () => {
      const { metadata } = await core.listNamespacedSecret({ namespace: NAMESPACE });
      await core.createNamespacedSecret({ namespace: NAMESPACE, body: { metadata: { name: 'js-watched' } } });
      await core.deleteNamespacedSecret({ namespace: NAMESPACE, name: 'js-watched' });
      const events: string[] = [];
      const watch = new Watch(config);
      const controller = await watch.watch(
        `/api/v1/namespaces/${NAMESPACE}/secrets`,
        {
          resourceVersion: metadata?.resourceVersion,
          allowWatchBookmarks: true,
          fieldSelector: 'metadata.name=js-watched',
        },
        (type) => events.push(type),
        () => undefined,
      );
      await eventually('both events', async () => events.length >= 2);
      expect(events.slice(0, 2)).toEqual(['ADDED', 'DELETED']);
      controller.abort();
    });

    test('list in pages over one snapshot', async () => {
      const names = ['a', 'b', 'c', 'd', 'e'].map((letter) => `js-page-${letter}`);
      for (const name of names)
        await core.createNamespacedConfigMap({
          namespace: NAMESPACE,
          body: { metadata: { name, labels: { page: 'yes' } } },
        });
      const found: (string | undefined)[] = [];
      let next: string | undefined;
      let pages = 0;
      do {
        const page = await core.listNamespacedConfigMap({
          namespace: NAMESPACE,
          labelSelector: 'page=yes',
          limit: 2,
          ...(next === undefined ? {} : { _continue: next }),
        });
        if (pages++ === 0) await core.deleteNamespacedConfigMap({ namespace: NAMESPACE, name: 'js-page-e' });
        found.push(...page.items.map((object) => object.metadata?.name));
        next = page.metadata?._continue;
      } while (next !== undefined && next !== '');
      expect(found).toEqual(names);
      expect(pages).toBe(3);
    });

    test('patches of all types, and conflicts of server-side apply', async () => {
      const apps = config.makeApiClient(AppsV1Api);
      const container = { name: 'main', image: 'k8s-demo:0.0.1-SNAPSHOT' };
      const body: V1Deployment = {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'js-patched' },
        spec: {
          replicas: 0,
          selector: { matchLabels: { app: 'js-patched' } },
          template: { metadata: { labels: { app: 'js-patched' } }, spec: { containers: [container] } },
        },
      };
      const target = { namespace: NAMESPACE, name: 'js-patched' };
      await apps.createNamespacedDeployment({ namespace: NAMESPACE, body, fieldManager: 'creator' });
      const patch = (type: PatchStrategy, content: unknown, more: object = {}): Promise<V1Deployment> =>
        apps.patchNamespacedDeployment({ ...target, ...more, body: content }, setHeaderOptions('Content-Type', type));

      await patch(PatchStrategy.JsonPatch, [{ op: 'add', path: '/metadata/labels', value: { by: 'json' } }]);
      await patch(PatchStrategy.MergePatch, { metadata: { annotations: { by: 'merge' } } });
      const extra = { template: { spec: { containers: [{ name: 'extra', image: 'busybox:test' }] } } };
      const merged = await patch(PatchStrategy.StrategicMergePatch, { spec: extra });
      expect(merged.metadata).toMatchObject({ labels: { by: 'json' }, annotations: { by: 'merge' } });
      expect(merged.spec?.template.spec?.containers.map((one) => one.name).sort()).toEqual(['extra', 'main']);

      const applied = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'js-patched' } };
      const image = (name: string): object => ({
        ...applied,
        spec: { template: { spec: { containers: [{ name: 'main', image: name }] } } },
      });
      const refused = await patch(PatchStrategy.ServerSideApply, image('other:1'), { fieldManager: 'js' }).catch(
        (error) => error,
      );
      expect(refused.code).toBe(409);
      expect(JSON.parse(refused.body).details.causes).toEqual([
        {
          reason: 'FieldManagerConflict',
          message: expect.stringContaining('conflict with "creator" using apps/v1'),
          field: '.spec.template.spec.containers[name="main"].image',
        },
      ]);
      const forced = await patch(PatchStrategy.ServerSideApply, image('other:1'), { fieldManager: 'js', force: true });
      expect(forced.spec?.template.spec?.containers.find((one) => one.name === 'main')?.image).toBe('other:1');
      expect(forced.metadata?.managedFields?.find((one) => one.manager === 'js')?.operation).toBe('Apply');

      // Managers of different fields do not get into each other's way, nor into that of the controllers.
      const managers = ['m1', 'm2', 'm3', 'm4', 'm5', 'm6', 'm7', 'm8'];
      const annotated = (by: string): object => ({
        ...applied,
        metadata: { name: 'js-patched', annotations: { [by]: '1' } },
      });
      await Promise.all(
        managers.map((by) => patch(PatchStrategy.ServerSideApply, annotated(by), { fieldManager: by })),
      );
      const together = await apps.readNamespacedDeployment(target);
      expect(Object.keys(together.metadata?.annotations ?? {})).toEqual(expect.arrayContaining(managers));

      const scale = await apps.patchNamespacedDeploymentScale(
        { ...target, body: { spec: { replicas: 2 } }, dryRun: 'All' },
        setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
      );
      expect(scale.spec?.replicas).toBe(2);
      expect((await apps.readNamespacedDeploymentScale(target)).spec?.replicas ?? 0).toBe(0);
      await apps.deleteNamespacedDeployment({ ...target, propagationPolicy: 'Foreground' });
    });

    test('exec with input, output, errors and an exit code', async () => {
      const [input, output, errors] = [new PassThrough(), new PassThrough(), new PassThrough()];
      const ended = Promise.withResolvers<V1Status>();
      const command = ['sh', '-c', 'read word; echo "got $word"; echo oops >&2; exit 5'];
      await new Exec(config).exec(NAMESPACE, 'js-server', 'main', command, output, errors, input, false, ended.resolve);
      input.write('hello\n');
      expect(await ended.promise).toMatchObject({
        status: 'Failure',
        reason: 'NonZeroExitCode',
        details: { causes: [{ reason: 'ExitCode', message: '5' }] },
      });
      expect(String(output.read())).toBe('got hello\n');
      expect(String(errors.read())).toBe('oops\n');
    });

    test('attach', async () => {
      const body = serverPod('js-attached');
      const [container] = body.spec?.containers ?? [];
      if (container === undefined) throw new Error('no container');
      Object.assign(container, {
        image: 'busybox:test',
        stdin: true,
        command: ['sh', '-c', 'read word; echo "got $word"; sleep 60'],
      });
      await core.createNamespacedPod({ namespace: NAMESPACE, body });
      await podReady(core, 'js-attached');
      const [input, output] = [new PassThrough(), new PassThrough()];
      const socket = await new Attach(config).attach(NAMESPACE, 'js-attached', 'main', output, null, input, false);
      input.write('attached\n');
      expect(await textUntil(output, /got attached\n/)).toBe('got attached\n');
      socket.close();
    });

    test('a stream of logs', async () => {
      const body = serverPod('js-logger');
      const [container] = body.spec?.containers ?? [];
      if (container === undefined) throw new Error('no container');
      Object.assign(container, { command: ['sh', '-c', 'echo one; sleep 2; echo two'] });
      Object.assign(body.spec ?? {}, { restartPolicy: 'Never' });
      await core.createNamespacedPod({ namespace: NAMESPACE, body });
      await eventually('it runs', async () => {
        const { status } = await core.readNamespacedPod({ namespace: NAMESPACE, name: 'js-logger' });
        return status?.phase === 'Running' || status?.phase === 'Succeeded';
      });
      const output = new PassThrough();
      const ended = new Promise((resolve) => output.once('end', resolve));
      await new Log(config).log(NAMESPACE, 'js-logger', 'main', output, { follow: true });
      expect(await textUntil(output, /two\n/)).toBe('one\ntwo\n');
      await ended;
    });

    test('port-forward', async () => {
      const serves = ['exec', 'js-server', '--', 'wget', '-q', '-O-', 'http://127.0.0.1:8080/index.html'];
      await eventually('there is a server', async () => (await cluster.kubectl(serves)).code === 0);
      const [input, output, errors] = [new PassThrough(), new PassThrough(), new PassThrough()];
      const socket = await new PortForward(config).portForward(NAMESPACE, 'js-server', [8080], output, errors, input);
      input.write('GET / HTTP/1.0\r\n\r\n');
      expect(await textUntil(output, /SNAPSHOT/)).toMatch(/^HTTP\/1.\d 200 OK\r\n/);
      if (typeof socket !== 'function') socket.close();
    });

    test('leader election by a Lease: one of two candidates holds it', async () => {
      const leases = config.makeApiClient(CoordinationV1Api);
      const target = { namespace: NAMESPACE, name: 'js-leader' };
      const claim = async (identity: string): Promise<boolean> => {
        const read: V1Lease | undefined = await leases.readNamespacedLease(target).catch(() => undefined);
        const now = new V1MicroTime();
        const spec = { holderIdentity: identity, leaseDurationSeconds: 15, acquireTime: now, renewTime: now };
        const written =
          read === undefined
            ? leases.createNamespacedLease({ namespace: NAMESPACE, body: { metadata: { name: target.name }, spec } })
            : leases.replaceNamespacedLease({ ...target, body: { ...read, spec } });
        return written.then(
          () => true,
          (error: unknown) => {
            expect(error).toMatchObject({ code: 409 });
            return false;
          },
        );
      };
      expect((await Promise.all([claim('one'), claim('two')])).filter(Boolean)).toHaveLength(1);
      expect((await Promise.all([claim('one'), claim('two')])).filter(Boolean)).toHaveLength(1);
      const { spec } = await leases.readNamespacedLease(target);
      expect(String(spec?.renewTime)).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    });

    test('custom resources: defaults, validation, status, watch, apply, deletion', async () => {
      const extensions = config.makeApiClient(ApiextensionsV1Api);
      const custom = config.makeApiClient(CustomObjectsApi);
      const anything = KubernetesObjectApi.makeApiClient(config);
      const name = `gadgets.${GROUP}`;
      await extensions.createCustomResourceDefinition({ body: definitionOf('gadgets', 'Gadget') });
      await eventually('Established', async () => {
        const { status } = await extensions.readCustomResourceDefinition({ name });
        return status?.conditions?.some((one) => one.type === 'Established' && one.status === 'True');
      });
      const target = { group: GROUP, version: 'v1', namespace: NAMESPACE, plural: 'gadgets' };
      const gadget = { apiVersion: `${GROUP}/v1`, kind: 'Gadget', metadata: { name: 'g1', namespace: NAMESPACE } };
      await eventually('served', () => custom.listNamespacedCustomObject(target));
      const invalid = await custom
        .createNamespacedCustomObject({ ...target, body: { ...gadget, spec: { size: -1 } } })
        .catch((error) => error);
      expect(invalid.code).toBe(422);
      expect(JSON.parse(invalid.body).details.causes[0].field).toBe('spec.size');
      const made: Custom = await custom.createNamespacedCustomObject({
        ...target,
        body: { ...gadget, spec: { size: 1 } },
      });
      expect(made).toMatchObject({ spec: { size: 1, color: 'red' }, metadata: { generation: 1 } });
      const status = await custom.patchNamespacedCustomObjectStatus(
        { ...target, name: 'g1', body: { status: { size: 7 }, spec: { size: 9 } } },
        setHeaderOptions('Content-Type', PatchStrategy.MergePatch),
      );
      expect(status).toMatchObject({ spec: { size: 1 }, status: { size: 7 } });
      const events: string[] = [];
      const controller = await new Watch(config).watch(
        `/apis/${GROUP}/v1/namespaces/${NAMESPACE}/gadgets`,
        {},
        (type, object: Custom) => events.push(`${type} ${object.spec.color}`),
        () => undefined,
      );
      await eventually('first event', async () => events.length > 0);
      const blue = { ...gadget, spec: { color: 'blue' } };
      await anything.patch(blue as KubernetesObject, undefined, undefined, 'js', true, PatchStrategy.ServerSideApply);
      expect(await anything.list(`${GROUP}/v1`, 'Gadget', NAMESPACE)).toMatchObject({
        items: [{ spec: { color: 'blue' } }],
      });
      await extensions.deleteCustomResourceDefinition({ name });
      await eventually('deleted', async () => events.includes('DELETED blue'));
      expect(events).toEqual(['ADDED red', 'MODIFIED blue', 'DELETED blue']);
      controller.abort();
    });
  });

  test('the Python client runs its session', async () => {
    const script = join(import.meta.dirname, 'clients/session.py');
    const result = await runCommand('/usr/bin/python3', [script, cluster.kubeconfig], { timeoutMs: 280_000 });
    expect(result).toMatchObject({ code: 0 });
    expect(result.stdout).toContain('session complete');
  });

  describe.each([
    { version: '1.20', find: oldKubectl },
    { version: 'installed', find: async () => 'kubectl' },
  ])('kubectl $version', ({ version, find }) => {
    let program: string;
    const name = `ctl-${version.replace('.', '-')}`;
    beforeAll(async () => {
      program = await find();
    });

    function kubectl(args: readonly string[], input?: string): Promise<CommandResult> {
      const env = { HOME: join(cluster.dataDir, name) };
      return runCommand(program, ['--kubeconfig', cluster.kubeconfig, ...args], {
        env,
        ...(input === undefined ? {} : { input }),
      });
    }

    async function ok(args: readonly string[], input?: string): Promise<string> {
      const result = await kubectl(args, input);
      expect(result, `kubectl ${args.join(' ')}`).toMatchObject({ code: 0 });
      return result.stdout;
    }

    test('explain shows types and descriptions', async () => {
      const text = await ok(['explain', 'pod.spec.containers']);
      expect(text).toContain('A single application container that you want to run within a pod.');
      expect(text).toMatch(/livenessProbe\s+<(Object|Probe)>\s+Periodic probe of container liveness\./);
      expect(await ok(['explain', 'deployment', '--recursive'])).toMatch(/maxSurge\s+<(string|IntOrString)>/);
    });

    test('apply, get, describe, scale, rollout', async () => {
      const yaml = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name} }
spec:
  replicas: 1
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{ name: main, image: 'k8s-demo:0.0.1-SNAPSHOT', ports: [{ containerPort: 8080 }] }]
`;
      expect(await ok(['apply', '-f', '-'], yaml)).toBe(`deployment.apps/${name} created\n`);
      expect(await ok(['apply', '-f', '-'], yaml)).toBe(`deployment.apps/${name} unchanged\n`);
      expect(await ok(['apply', '-f', '-'], yaml.replace('replicas: 1', 'replicas: 2'))).toBe(
        `deployment.apps/${name} configured\n`,
      );
      expect((await kubectl(['apply', '-f', '-'], yaml.replace('replicas', 'replicass'))).stderr).toContain(
        'replicass',
      );
      expect((await kubectl(['diff', '-f', '-'], yaml)).stdout).toMatch(/-\s+replicas: 2\n\+\s+replicas: 1\n/);
      expect(await ok(['rollout', 'status', 'deployment', name])).toContain('successfully rolled out');
      expect(await ok(['scale', 'deployment', name, '--replicas=1'])).toBe(`deployment.apps/${name} scaled\n`);
      expect(await ok(['set', 'image', `deployment/${name}`, 'main=k8s-demo:0.0.2-SNAPSHOT'])).toContain(
        'image updated',
      );
      expect(await ok(['rollout', 'status', 'deployment', name])).toContain('successfully rolled out');
      expect(await ok(['rollout', 'history', 'deployment', name])).toMatch(/^1 .*\n2 /m);
      expect(await ok(['rollout', 'undo', 'deployment', name])).toContain('rolled back');
      expect(await ok(['rollout', 'status', 'deployment', name])).toContain('successfully rolled out');
      expect(await ok(['get', 'deployment', name])).toMatch(/^NAME +READY +UP-TO-DATE +AVAILABLE +AGE\n.* 1\/1 /);
      expect(await ok(['describe', 'deployment', name])).toMatch(/StrategyType: +RollingUpdate/);
      expect(await ok(['expose', 'deployment', name, '--port=80', '--target-port=8080'])).toContain('exposed');
      expect(await ok(['describe', 'service', name])).toMatch(/TargetPort: +8080\/TCP/);
    });

    test('patch, exec, logs, cp and describe of a pod', async () => {
      const yaml = JSON.stringify(serverPod(name));
      await ok(['create', '-f', '-'], yaml);
      await ok(['wait', '--for=condition=Ready', `pod/${name}`, '--timeout=120s']);
      for (const [type, patch] of [
        ['strategic', '{"metadata":{"labels":{"by":"strategic"}}}'],
        ['merge', '{"metadata":{"labels":{"by":"merge"}}}'],
        ['json', '[{"op":"replace","path":"/metadata/labels/by","value":"json"}]'],
      ] as const)
        expect(await ok(['patch', 'pod', name, '--type', type, '-p', patch])).toBe(`pod/${name} patched\n`);
      expect(await ok(['get', 'pod', name, '-L', 'by'])).toMatch(/ json\n/);
      expect(await ok(['exec', '-i', name, '--', 'cat'], 'words')).toBe('words');
      expect(await kubectl(['exec', name, '--', 'sh', '-c', 'exit 4'])).toMatchObject({ code: 4 });
      await eventually('its log', async () => (await ok(['logs', name])) === 'started\n');
      expect(await ok(['describe', 'pod', name])).toMatch(/Normal +Started/);
      await ok(['cp', cluster.kubeconfig, `${name}:/tmp/copy`]);
      expect(await ok(['exec', name, '--', 'cat', '/tmp/copy'])).toBe(await readFile(cluster.kubeconfig, 'utf8'));
      await ok(['replace', '--force', '-f', '-'], yaml);
      expect(await ok(['delete', 'pod', name])).toContain(`pod "${name}" deleted`);
    });

    test('server-side apply and dry run', async () => {
      const yaml = (value: string): string =>
        `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name} }\ndata: { key: ${value} }\n`;
      expect(await ok(['apply', '--server-side', '-f', '-'], yaml('a'))).toContain('serverside-applied');
      const refused = await kubectl(['apply', '--server-side', '--field-manager=other', '-f', '-'], yaml('b'));
      expect(refused.stderr).toMatch(/conflict with "kubectl".*: \.data\.key/s);
      await ok(['apply', '--server-side', '--force-conflicts', '--dry-run=server', '-f', '-'], yaml('c'));
      expect(await ok(['get', 'configmap', name, '-o', 'jsonpath={.data.key}'])).toBe('a');
    });

    test('custom resources', async () => {
      const kind = `Widget${version.replaceAll(/\W/g, '')}`;
      const plural = `${kind.toLowerCase()}s`;
      const object = (size: number): string =>
        `apiVersion: ${GROUP}/v1\nkind: ${kind}\nmetadata: { name: w1 }\nspec: { size: ${size} }\n`;
      const definition = JSON.stringify(definitionOf(plural, kind)).replace('_default', 'default');
      expect(await ok(['apply', '-f', '-'], definition)).toContain('created');
      await ok(['wait', '--for=condition=established', `crd/${plural}.${GROUP}`, '--timeout=120s']);
      await eventually('explained', async () =>
        (await kubectl(['explain', `${plural}.spec.color`])).stdout.includes('What it looks like.'),
      );
      expect((await kubectl(['apply', '-f', '-'], object(-1))).stderr).toContain('spec.size');
      expect(await ok(['apply', '-f', '-'], object(1))).toContain('created');
      expect(await ok(['scale', plural, 'w1', '--replicas=3'])).toContain('scaled');
      expect(await ok(['get', plural, 'w1', '-o', 'jsonpath={.spec}'])).toBe('{"color":"red","size":3}');
      expect(await ok(['delete', 'crd', `${plural}.${GROUP}`])).toContain('deleted');
    });

    test('cordon, taint, label, annotate, permissions', async () => {
      const node = cluster.nodeName;
      expect(await ok(['cordon', node])).toContain('cordoned');
      expect(await ok(['get', 'node', node])).toContain('SchedulingDisabled');
      expect(await ok(['uncordon', node])).toContain('uncordoned');
      await ok(['taint', 'node', node, 'a=b:PreferNoSchedule']);
      await ok(['taint', 'node', node, 'a-']);
      expect(await ok(['label', 'node', node, `${name}=x`])).toContain('labeled');
      expect((await kubectl(['label', 'node', node, `${name}=y`])).stderr).toContain('--overwrite is false');
      await ok(['annotate', 'node', node, `${name}=x`]);
      expect(await ok(['auth', 'can-i', 'delete', 'nodes'])).toBe('yes\n');
      expect((await kubectl(['auth', 'can-i', 'list', 'pods', '--as=nobody'])).stdout).toBe('no\n');
      await eventually('usage of the node', async () => (await kubectl(['top', 'node'])).stdout.includes(node));
    });
  });
});

async function podReady(core: CoreV1Api, name: string): Promise<void> {
  await eventually(`pod ${name} is Ready`, async () => {
    const pod: V1Pod = await core.readNamespacedPod({ namespace: NAMESPACE, name });
    return pod.status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True');
  });
}

/** What a stream gives until it matches. */
async function textUntil(stream: PassThrough, pattern: RegExp): Promise<string> {
  let text = '';
  stream.on('data', (chunk) => {
    text += chunk;
  });
  await eventually(`${pattern}; so far: ${text}`, async () => pattern.test(text));
  return text;
}
