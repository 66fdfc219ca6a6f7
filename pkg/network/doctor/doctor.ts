import { isStatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { Node, Pod, Service } from '../../api/generated/types.ts';
import type { DeepReadonly, Draft } from '../../api/object.ts';
import type { Clock } from '../../base/clock.ts';
import type { Client } from '../../client/client.ts';
import { type Check, checksOf, diagnose, type Failure, failuresIn, type Patient, type Target } from './checks.ts';

export interface NetworkDoctorOptions {
  /** `cluster.local` */
  readonly clusterDomain: string;
  /** The image that has the probe, and that every node has. */
  readonly image: string;
}

export interface NetworkDoctorDeps {
  readonly client: Client;
  readonly clock: Clock;
  /** Told what is being done. */
  readonly report: (step: string) => void;
}

export interface NetworkReport {
  readonly nodes: readonly string[];
  /** How many things were tried. */
  readonly checks: number;
  /** What is broken and why, for people; empty when nothing is. */
  readonly findings: readonly string[];
}

const LOOK_MS = 250;
const START_LIMIT_MS = 45_000;
const CHECK_LIMIT_MS = 45_000;
const LABEL = 'kube-lite.io/doctor';

/**
 * Tries, from a pod on each node, the pods, Services, names and node ports of every node, with pods of its own in a
 * namespace of its own, which is gone afterwards. Throws StatusError when the API refuses.
 */
export async function examineNetwork(
  options: NetworkDoctorOptions,
  deps: NetworkDoctorDeps,
  signal: AbortSignal,
): Promise<NetworkReport> {
  const { client, report } = deps;
  const findings: string[] = [];
  const { items } = await client.list(resources.nodes, {}, signal);
  const patients = items.flatMap((node) => {
    const problem = unfit(node);
    if (problem !== undefined) findings.push(problem);
    return problem === undefined ? [{ name: node.metadata.name, addresses: addressesOf(node) }] : [];
  });
  const { metadata } = await client.create(
    resources.namespaces,
    { metadata: { generateName: 'kube-lite-doctor-' } },
    {},
    signal,
  );
  const namespace = metadata.name;
  try {
    const examination = new Examination(namespace, options, deps, signal);
    report(`starting a pod on each of ${patients.length} nodes in namespace ${namespace}`);
    const targets = await examination.prepare(patients, findings);
    const checks = checksOf(targets);
    report(`trying ${checks.length} ways from each of ${targets.length} nodes`);
    const failures = await examination.check(targets, checks, findings);
    findings.push(...diagnose(failures));
    return { nodes: targets.map(({ node }) => node.name), checks: checks.length * targets.length, findings };
  } finally {
    await client.delete(resources.namespaces, { name: namespace });
  }
}

class Examination {
  readonly #namespace: string;
  readonly #options: NetworkDoctorOptions;
  readonly #deps: NetworkDoctorDeps;
  readonly #signal: AbortSignal;

  constructor(namespace: string, options: NetworkDoctorOptions, deps: NetworkDoctorDeps, signal: AbortSignal) {
    this.#namespace = namespace;
    this.#options = options;
    this.#deps = deps;
    this.#signal = signal;
  }

  /** A pod that answers and a Service for it on each node; nodes whose pod does not start are findings. */
  async prepare(patients: readonly Patient[], findings: string[]): Promise<Target[]> {
    const services: DeepReadonly<Service>[] = [];
    for (const [index, node] of patients.entries()) {
      await this.#createPod(`server-${index}`, node, ['serve', `doctor-${index}`]);
      services.push(await this.#createService(`node-${index}`, `server-${index}`));
    }
    const pods = await this.#waitFor('server', patients.length, isRunning, START_LIMIT_MS);
    return patients.flatMap((node, index): Target[] => {
      const pod = pods.get(`server-${index}`);
      const service = services[index];
      if (pod === undefined || service === undefined || !isRunning(pod)) {
        findings.push(`the pod on ${node.name} does not start: ${pod === undefined ? 'it is gone' : stateOf(pod)}`);
        return [];
      }
      const hostname = `node-${index}.${this.#namespace}.svc.${this.#options.clusterDomain}`;
      const { clusterIPs = [], ports = [] } = service.spec;
      const nodePort = ports[0]?.nodePort ?? 0;
      const podIPs = (pod.status.podIPs ?? []).map(({ ip }) => ip);
      return [{ node, podIPs, clusterIPs, nodePort, says: `doctor-${index}`, hostname }];
    });
  }

  async check(targets: readonly Target[], checks: readonly Check[], findings: string[]): Promise<Failure[]> {
    const words = checks.map(({ argument }) => argument);
    for (const [index, { node }] of targets.entries())
      await this.#createPod(`probe-${index}`, node, ['check', ...words]);
    const pods = await this.#waitFor('probe', targets.length, hasEnded, CHECK_LIMIT_MS);
    return targets.flatMap(({ node }, index) => {
      const pod = pods.get(`probe-${index}`);
      const message = pod?.status.containerStatuses?.[0]?.state?.terminated?.message ?? '';
      const failures = failuresIn(message, node, checks);
      if (failures === undefined)
        findings.push(
          `the probe on ${node.name} did not come to its end: ${pod === undefined ? 'it is gone' : stateOf(pod)}`,
        );
      return failures ?? [];
    });
  }

  /** Right after its namespace is made, the service account that every pod needs may be missing. */
  async #createPod(name: string, node: Patient, args: readonly string[]): Promise<void> {
    const { client, clock } = this.#deps;
    const pod: Draft<Pod> = {
      metadata: { name, namespace: this.#namespace, labels: { [LABEL]: name, role: name.replace(/-.*/, '') } },
      spec: {
        nodeName: node.name,
        restartPolicy: 'Never',
        terminationGracePeriodSeconds: 0,
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        tolerations: [{ operator: 'Exists' }],
        securityContext: { runAsNonRoot: true, runAsUser: 65_535, seccompProfile: { type: 'RuntimeDefault' } },
        containers: [
          {
            name: 'probe',
            image: this.#options.image,
            imagePullPolicy: 'IfNotPresent',
            command: ['/probe'],
            args: [...args],
            securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
          },
        ],
      },
    };
    const deadlineMs = clock.monotonic() + START_LIMIT_MS;
    for (;;) {
      try {
        await client.create(resources.pods, pod, {}, this.#signal);
        return;
      } catch (error) {
        if (!isStatusError(error, 'Forbidden') || clock.monotonic() > deadlineMs) throw error;
        await clock.sleep(LOOK_MS, this.#signal);
      }
    }
  }

  #createService(name: string, pod: string): Promise<DeepReadonly<Service>> {
    const service: Draft<Service> = {
      metadata: { name, namespace: this.#namespace },
      spec: {
        type: 'NodePort',
        ipFamilyPolicy: 'PreferDualStack',
        selector: { [LABEL]: pod },
        ports: [{ port: 80, targetPort: 8080, protocol: 'TCP' }],
      },
    };
    return this.#deps.client.create(resources.services, service, {}, this.#signal);
  }

  /** The pods of a role by name, when all of them are as wanted or the time is up. */
  async #waitFor(
    role: string,
    count: number,
    isWanted: (pod: DeepReadonly<Pod>) => boolean,
    limitMs: number,
  ): Promise<Map<string, DeepReadonly<Pod>>> {
    const { client, clock } = this.#deps;
    const deadlineMs = clock.monotonic() + limitMs;
    for (;;) {
      const query = { namespace: this.#namespace, labelSelector: `role=${role}` };
      const { items } = await client.list(resources.pods, query, this.#signal);
      if (items.filter(isWanted).length === count || clock.monotonic() > deadlineMs)
        return new Map(items.map((pod) => [pod.metadata.name, pod]));
      await clock.sleep(LOOK_MS, this.#signal);
      this.#signal.throwIfAborted();
    }
  }
}

function isRunning({ status }: DeepReadonly<Pod>): boolean {
  return status?.phase === 'Running' && (status.podIP ?? '') !== '';
}

function hasEnded({ status }: DeepReadonly<Pod>): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed';
}

/** Why a node cannot be examined. */
function unfit({ metadata, status }: DeepReadonly<Node>): string | undefined {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  if (ready?.status === 'True') return undefined;
  return `node ${metadata.name} is not Ready: ${ready?.message ?? 'it has not said so'}; nothing is tried there`;
}

function addressesOf({ status }: DeepReadonly<Node>): string[] {
  return (status?.addresses ?? []).flatMap(({ type, address }) => (type === 'InternalIP' ? [address] : []));
}

/** What keeps a pod from where it should be. */
function stateOf({ status }: DeepReadonly<Pod>): string {
  const state = status?.containerStatuses?.[0]?.state;
  const { reason, message } = state?.waiting ?? state?.terminated ?? status ?? {};
  return [status?.phase, reason, message].filter((part) => part !== undefined && part !== '').join(': ');
}
