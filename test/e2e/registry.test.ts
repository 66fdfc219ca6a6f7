import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../pkg/base/testing/free-port.ts';
import { Cluster, eventually, missingForE2E, runCommand } from './cluster.ts';
import { endAll } from './ending.ts';

const missing = (await missingForE2E()) ?? (await missingTools());
if (missing !== undefined) console.error(`the tests of image registries are skipped: ${missing}`);

async function missingTools(): Promise<string | undefined> {
  for (const name of ['docker-registry', 'skopeo']) {
    const { code } = await runCommand('sh', ['-c', `command -v ${name}`]);
    if (code !== 0) return `${name} is missing (scripts/test installs it)`;
  }
  return undefined;
}

/** `secret`, as bcrypt has it. */
const HTPASSWD = 'user:$2b$04$B/49YWB5dboOHog3wTkVPeJFrUIHM2K1DnVff0Rdo2uEBuGuhZ0RS\n';

describe.skipIf(missing !== undefined)('images of a registry', () => {
  let dir: string;
  let registry: ChildProcess;
  let cluster: Cluster;
  let place: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'kube-lite-registry-'));
    place = `127.0.0.1:${await freePort()}`;
    await writeFile(join(dir, 'htpasswd'), HTPASSWD);
    const config = {
      version: '0.1',
      storage: { filesystem: { rootdirectory: join(dir, 'storage') } },
      http: { addr: place },
      auth: { htpasswd: { realm: 'test', path: join(dir, 'htpasswd') } },
    };
    await writeFile(join(dir, 'config.yaml'), JSON.stringify(config));
    registry = spawn('docker-registry', ['serve', join(dir, 'config.yaml')], { stdio: 'ignore' });
    const mirrors = { 'images.example': { endpoint: [`http://${place}`] } };
    const configs = { 'images.example': { auth: { username: 'user', password: 'secret' } } };
    await writeFile(join(dir, 'registries.yaml'), JSON.stringify({ mirrors, configs }));
    cluster = await Cluster.start({ flags: ['--registry-config', join(dir, 'registries.yaml')] });
    const archive = join(cluster.dataDir, 'agent/images/busybox.tar');
    const copy = await runCommand('skopeo', [
      ...['--insecure-policy', 'copy', '--dest-tls-verify=false', '--dest-creds', 'user:secret'],
      ...[`oci-archive:${archive}`, `docker://${place}/team/tool:1`],
    ]);
    expect(copy).toMatchObject({ code: 0 });
  });
  afterAll(() =>
    endAll(
      () => registry?.kill(),
      () => cluster?.remove(),
      () => rm(dir, { recursive: true, force: true }),
    ),
  );

  const run = (name: string, image: string, spec: object = {}, imagePullPolicy = 'Always'): Promise<string> => {
    const containers = [{ name: 'main', image, command: ['sleep', '3600'], imagePullPolicy }];
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { containers, ...spec } };
    return cluster.apply(JSON.stringify(pod));
  };
  const events = (name: string): Promise<string> =>
    cluster.ok([
      'get',
      'events',
      '--field-selector',
      `involvedObject.name=${name}`,
      '-o',
      'jsonpath={.items[*].message}',
    ]);
  const told = (name: string, text: RegExp): Promise<unknown> =>
    eventually(`${name}: ${text}`, async () => text.test(await events(name)));
  const running = (name: string): Promise<unknown> =>
    eventually(`${name} runs`, async () => {
      return (await cluster.ok(['get', 'pod', name, '-o', 'jsonpath={.status.phase}'])) === 'Running';
    });

  test('pull secrets open it, and without them the pod says why it waits', async () => {
    await cluster.ok([
      ...['create', 'secret', 'docker-registry', 'pull', '--docker-server', place],
      ...['--docker-username', 'user', '--docker-password', 'secret'],
    ]);
    await run('open', `${place}/team/tool:1`, { imagePullSecrets: [{ name: 'pull' }] });
    await running('open');
    await told(
      'open',
      /Successfully pulled image "127\.0\.0\.1:\d+\/team\/tool:1" in \S+ \(\S+ including waiting\)\. Image size: \d+ bytes\./,
    );
    // It is on the machine now, but not for everybody.
    await run('sneaky', `${place}/team/tool:1`, {}, 'IfNotPresent');
    await run('entitled', `${place}/team/tool:1`, { imagePullSecrets: [{ name: 'pull' }] }, 'IfNotPresent');
    await running('entitled');
    await told('entitled', /already present on machine and can be accessed by the pod/);
    await run('shut', `${place}/team/other:1`, { imagePullSecrets: [{ name: 'none' }] });
    for (const name of ['shut', 'sneaky']) {
      await eventually(`${name} is refused`, async () => {
        const path = 'jsonpath={.status.containerStatuses[0].state.waiting.reason}';
        return (await cluster.ok(['get', 'pod', name, '-o', path])) === 'ImagePullBackOff';
      });
    }
    await told(
      'shut',
      /Unable to retrieve some image pull secrets \(none\); attempting to pull the image may not succeed\./,
    );
    await told('shut', new RegExp(`Back-off pulling image "${place}/team/other:1"`));
  });

  test('registries.yaml names a mirror with its credentials', async () => {
    await run('mirrored', 'images.example/team/tool:1');
    await running('mirrored');
  });
});
