import { beforeEach, describe, expect, it } from 'vitest';
import { AdmissionHarness, pod, typeOf } from './testing/harness.ts';

let harness: AdmissionHarness;
beforeEach(() => {
  harness = new AdmissionHarness();
});

async function refused(spec: object, message: string): Promise<void> {
  await expect(harness.admitted(spec)).rejects.toThrow(`pods "p" is forbidden: ${message}`);
}

describe('PodSecurity', () => {
  const enforce = (level: string, version = 'v1.28'): void =>
    harness.put('namespaces', {
      metadata: {
        name: 'ns',
        labels: { 'pod-security.kubernetes.io/enforce': level, 'pod-security.kubernetes.io/enforce-version': version },
      },
    });
  const main = (securityContext: object): object => ({ containers: [{ name: 'main', securityContext }] });
  const good = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
  const podContext = { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } };

  it.each([
    [main({ privileged: true }), 'privileged (container "main" must not set securityContext.privileged=true)'],
    [{ hostNetwork: true }, 'host namespaces (hostNetwork=true)'],
    [{ volumes: [{ name: 'h', hostPath: { path: '/' } }] }, 'hostPath volumes (volume "h")'],
    [
      main({ capabilities: { add: ['SYS_ADMIN'] } }),
      'non-default capabilities (container "main" must not include "SYS_ADMIN" in securityContext.capabilities.add)',
    ],
    [{ securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] } }, 'forbidden sysctls (kernel.msgmax)'],
    [
      { securityContext: { seccompProfile: { type: 'Unconfined' } } },
      'seccompProfile (pod must not set securityContext.seccompProfile.type to "Unconfined")',
    ],
    [
      { securityContext: { seLinuxOptions: { type: 'evil_t' } } },
      'seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "evil_t")',
    ],
    [
      { containers: [{ name: 'main', ports: [{ containerPort: 1, hostPort: 80 }] }] },
      'hostPort (container "main" uses hostPort 80)',
    ],
  ])('baseline refuses %j', async (spec, message) => {
    enforce('baseline');
    await refused(spec, `violates PodSecurity "baseline:v1.28": ${message}`);
  });

  it('baseline allows a plain pod', async () => {
    enforce('baseline');
    await harness.admitted();
  });

  it.each([
    [
      {},
      'allowPrivilegeEscalation != false (container "main" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "main" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "main" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "main" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
    ],
    [
      { ...main(good), securityContext: podContext, volumes: [{ name: 'n', nfs: { server: 's', path: '/' } }] },
      'restricted volume types (volume "n" uses restricted volume type "nfs")',
    ],
    [{ ...main(good), securityContext: { ...podContext, runAsUser: 0 } }, 'runAsUser=0 (pod must not set runAsUser=0)'],
  ])('restricted refuses %j', async (spec, message) => {
    enforce('restricted');
    await refused(spec, `violates PodSecurity "restricted:v1.28": ${message}`);
  });

  it.each([
    [
      'baseline',
      'latest',
      {
        containers: [
          { name: 'b', livenessProbe: { httpGet: { host: 'z.example' } } },
          { name: 'a', lifecycle: { preStop: { tcpSocket: { host: '10.0.0.1' } } } },
        ],
      },
      'probe or lifecycle host (containers "a", "b" use probe or lifecycle hosts "10.0.0.1", "z.example")',
    ],
    [
      'baseline',
      'v1.30',
      {
        securityContext: { appArmorProfile: { type: 'Unconfined' } },
        containers: [{ name: 'a', securityContext: { appArmorProfile: { type: 'Unconfined' } } }],
      },
      'forbidden AppArmor profile (pod and container "a" must not set AppArmor profile type to "Unconfined")',
    ],
    [
      'restricted',
      'latest',
      { ...main({ ...good, procMount: 'Unmasked' }), hostUsers: false, securityContext: podContext },
      'procMount (container "main" must not set securityContext.procMount to "Unmasked")',
    ],
    [
      'restricted',
      'v1.7',
      { hostNetwork: true },
      'host namespaces (hostNetwork=true), runAsNonRoot != true (pod or container "main" must set securityContext.runAsNonRoot=true)',
    ],
  ])('%s:%s refuses %j', async (level, version, spec, message) => {
    enforce(level, version);
    await refused(spec, `violates PodSecurity "${level}:${version}": ${message}`);
  });

  it.each([
    ['baseline', 'v1.33', { containers: [{ name: 'b', livenessProbe: { httpGet: { host: 'z' } } }] }],
    ['baseline', 'latest', { ...main({ procMount: 'Unmasked' }), hostUsers: false }],
    ['restricted', 'v1.22', { ...main(good), securityContext: { ...podContext, runAsUser: 0 } }],
  ])('%s:%s allows %j', async (level, version, spec) => {
    enforce(level, version);
    await harness.admitted(spec);
  });

  it('annotations count in old versions', async () => {
    enforce('baseline', 'v1.18');
    const annotations = {
      'seccomp.security.alpha.kubernetes.io/pod': 'unconfined',
      'container.apparmor.security.beta.kubernetes.io/main': 'unconfined',
    };
    await expect(harness.admitted({}, { annotations })).rejects.toThrow(
      'forbidden AppArmor profile (annotation must not set AppArmor profile type to "container.apparmor.security.beta.kubernetes.io/main="unconfined""), seccompProfile (forbidden annotation seccomp.security.alpha.kubernetes.io/pod="unconfined")',
    );
  });

  it.each([
    [{ containers: [{ name: 'main', image: 'app', resources: { limits: { cpu: '1' } } }] }, false],
    [{ tolerations: [{ operator: 'Exists' }] }, false],
    [{ containers: [{ name: 'main', image: 'other' }] }, true],
    [{ ephemeralContainers: [{ name: 'debug', image: 'app' }] }, true],
  ])('an update to %j is looked at only when it brings an image', async (spec, isLookedAt) => {
    enforce('restricted');
    const update = harness.run('pods', pod(spec), { oldObject: pod(), name: 'p' });
    if (isLookedAt) await expect(update).rejects.toThrow('violates PodSecurity');
    else await update;
  });

  it('custom resources of the same name are none of its business', async () => {
    enforce('restricted');
    harness.put('namespaces', {
      metadata: { name: 'ns', labels: { 'pod-security.kubernetes.io/warn': 'restricted' } },
    });
    const type = { ...typeOf('jobs'), group: 'batch.example.com' } as ReturnType<typeof typeOf>;
    const answer = await harness.run('jobs', { spec: { template: { spec: { hostPID: true } } } }, { type });
    expect(answer.warnings).toEqual([]);
  });

  it('restricted allows a careful pod, and updates that do not change the spec', async () => {
    enforce('restricted', 'latest');
    await harness.admitted({ ...main(good), securityContext: podContext });
    await harness.run('pods', pod({}, { labels: { a: 'b' } }), { oldObject: pod() });
  });

  it('warns of pods and templates', async () => {
    harness.put('namespaces', { metadata: { name: 'ns', labels: { 'pod-security.kubernetes.io/warn': 'baseline' } } });
    const template = { spec: { hostPID: true, containers: [] } };
    const warning = 'would violate PodSecurity "baseline:latest": host namespaces (hostPID=true)';
    expect((await harness.run('deployments', { spec: { template } })).warnings).toEqual([warning]);
    expect((await harness.run('cronjobs', { spec: { jobTemplate: { spec: { template } } } })).warnings).toEqual([
      warning,
    ]);
    expect((await harness.run('pods', pod({ hostPID: true }))).warnings).toEqual([warning]);
  });

  it('checks labels of namespaces and names the pods that a new one would refuse', async () => {
    const labels = (level: string): object => ({
      metadata: { labels: { 'pod-security.kubernetes.io/enforce': level } },
    });
    await expect(harness.run('namespaces', labels('strict'))).rejects.toMatchObject({ code: 422 });
    for (const name of ['b', 'a'])
      harness.reader.put(typeOf('pods'), { ...pod({ hostPID: true }), metadata: { namespace: 'ns', name } });
    const { warnings } = await harness.run('namespaces', labels('baseline'), { oldObject: {}, name: 'ns' });
    expect(warnings).toEqual([
      'existing pods in namespace "ns" violate the new PodSecurity enforce level "baseline:latest"',
      'a (and 1 other pod): host namespaces',
    ]);
  });
});
