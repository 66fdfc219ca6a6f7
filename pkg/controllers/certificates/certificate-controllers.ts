import { resources } from '../../api/generated/resources.ts';
import type { CertificateSigningRequest, Lease, Node } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';
import { formatTime } from '../../api/time.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Client, Lister } from '../../client/client.ts';
import { ignoreNotFound } from '../../client/retry.ts';
import type { ReconcileResult, Reconciler, Request } from '../../controller/controller.ts';
import { Controller } from '../../controller/run-controller.ts';
import { fromInformer } from '../../controller/sources.ts';
import type { ControllerCommonDeps } from '../deps.ts';
import { messageOf } from '../pod-control.ts';
import {
  CLIENT_SIGNER,
  isOwnServing,
  KUBELET_CLIENT_SIGNER,
  KUBELET_SERVING_SIGNER,
  LEGACY_SIGNER,
  type RequestedCertificate,
  refusal,
  takenAddresses,
} from './kubelet-requests.ts';

const TYPE = resources.certificatesigningrequests;
const SIGNERS: readonly string[] = [CLIENT_SIGNER, KUBELET_CLIENT_SIGNER, KUBELET_SERVING_SIGNER, LEGACY_SIGNER];
const YEAR_MS = 365 * 86_400_000;
const HOUR_MS = 3_600_000;
const LEASES = 'kube-node-lease';
/** A node's lease is renewed every ten seconds: who lets two of them pass is not there. */
const SILENCE_MS = 20_000;
const LOOK_EVERY_MS = 1000;

type ReadRequest = DeepReadonly<CertificateSigningRequest>;

/** The cluster's certificate authority, as far as requests need it. */
export interface CertificateSigner {
  /** Reads a PEM request. Throws when it is malformed. */
  inspect(pem: string): Promise<RequestedCertificate>;
  /** Signs a PEM request for one of the cluster's signers; returns the PEM certificate. */
  sign(
    signerName: string,
    pem: string,
    options: { readonly usages: readonly string[]; readonly durationMs: number },
  ): Promise<string>;
}

export interface CertificateDeps extends ControllerCommonDeps {
  readonly signer: CertificateSigner;
}

interface ReconcilerDeps {
  readonly client: Client;
  readonly clock: ControllerCommonDeps['clock'];
  readonly requests: Lister<CertificateSigningRequest>;
  readonly nodes: Lister<Node>;
  readonly leases: Lister<Lease>;
  readonly signer: CertificateSigner;
}

/** Approves kubelets' requests for certificates, signs what is approved, deletes what is old. */
export function newCertificateControllers(deps: CertificateDeps): Component[] {
  const requests = deps.informers.for(TYPE);
  const nodes = deps.informers.for(resources.nodes);
  const leases = deps.informers.for(resources.leases, { namespace: LEASES });
  const own = { ...deps, requests: requests.lister, nodes: nodes.lister, leases: leases.lister };
  const controller = (name: string, reconciler: Reconciler): Component =>
    new Controller({ name, sources: [fromInformer(requests)], reconciler }, deps);
  return [
    controller('certificatesigningrequest-approving-controller', new ApprovingReconciler(own)),
    controller('certificatesigningrequest-signing-controller', new SigningReconciler(own)),
    controller('certificatesigningrequest-cleaner-controller', new CleaningReconciler(own)),
  ];
}

class ApprovingReconciler implements Reconciler {
  readonly #deps: ReconcilerDeps;

  constructor(deps: ReconcilerDeps) {
    this.#deps = deps;
  }

  async reconcile({ name }: Request): Promise<ReconcileResult> {
    const { requests, signer } = this.#deps;
    const request = requests.get(name);
    if (request === undefined || request.status?.certificate || isDecided(request)) return undefined;
    const { signerName, usages = [] } = request.spec;
    if (signerName !== KUBELET_CLIENT_SIGNER && signerName !== KUBELET_SERVING_SIGNER) return undefined;
    const wanted = await readable(signer.inspect(pemOf(request)));
    if (wanted === undefined || refusal(signerName, wanted, usages) !== undefined) return undefined;
    if (signerName === KUBELET_SERVING_SIGNER) return this.#reconcileServing(request, wanted);
    const isSelf = wanted.commonName === request.spec.username;
    const permissions = [...(isSelf ? (['selfnodeclient'] as const) : []), 'nodeclient' as const];
    for (const subresource of permissions) {
      if (!(await this.#mayHave(request, subresource))) continue;
      const whose = subresource === 'selfnodeclient' ? 'self kubelet' : 'kubelet';
      const message = `Auto approving ${whose} client certificate after SubjectAccessReview.`;
      await this.#approve(request, message);
      return undefined;
    }
    return undefined;
  }

  /**
   * An address is another node's as long as that one is running. A machine with a new name has the address of the node that it
   * was, whose lease nobody renews any more.
   */
  async #reconcileServing(request: ReadRequest, wanted: RequestedCertificate): Promise<ReconcileResult> {
    if (!isOwnServing(request, wanted)) return undefined;
    const { clock, leases, nodes } = this.#deps;
    for (const { address, node } of takenAddresses(wanted, nodes.list())) {
      const lease = leases.get(`${LEASES}/${node}`);
      if (lease === undefined) continue;
      if (isWrittenAfter(lease, request)) {
        const message = `${address} is the address of node ${node}, which is running`;
        await this.#decide(request, 'Denied', 'AddressOfAnotherNode', message);
        return undefined;
      }
      if (clock.now() - Date.parse(request.metadata.creationTimestamp) < SILENCE_MS)
        return { requeueAfterMs: LOOK_EVERY_MS };
    }
    await this.#approve(request, 'Auto approving kubelet serving certificate of the node itself.');
    return undefined;
  }

  #approve(request: ReadRequest, message: string): Promise<void> {
    return this.#decide(request, 'Approved', 'AutoApproved', message);
  }

  async #decide(request: ReadRequest, type: 'Approved' | 'Denied', reason: string, message: string): Promise<void> {
    const { client, clock } = this.#deps;
    const decided = withCondition(request, type, reason, message, clock.now());
    await client.update(TYPE, decided, { subresource: 'approval' });
  }

  async #mayHave({ spec }: ReadRequest, subresource: string): Promise<boolean> {
    const { username, uid, groups, extra } = spec;
    const review = await this.#deps.client.create(resources.subjectaccessreviews, {
      metadata: {},
      spec: {
        ...(username === undefined ? {} : { user: username }),
        ...(uid === undefined ? {} : { uid }),
        ...(groups === undefined ? {} : { groups }),
        ...(extra === undefined ? {} : { extra }),
        resourceAttributes: { group: TYPE.group, resource: TYPE.resource, verb: 'create', version: '*', subresource },
      },
    });
    return review.status.allowed;
  }
}

class SigningReconciler implements Reconciler {
  readonly #deps: ReconcilerDeps;

  constructor(deps: ReconcilerDeps) {
    this.#deps = deps;
  }

  async reconcile({ name }: Request): Promise<ReconcileResult> {
    const { client, clock, requests, signer } = this.#deps;
    const request = requests.get(name);
    if (request === undefined || request.status?.certificate) return undefined;
    if (!SIGNERS.includes(request.spec.signerName) || !has(request, 'Approved') || has(request, 'Failed')) {
      return undefined;
    }
    const { signerName, usages = [], expirationSeconds } = request.spec;
    const pem = pemOf(request);
    const problem = await this.#problem(request, pem);
    if (problem !== undefined) {
      await client.updateStatus(
        TYPE,
        withCondition(request, 'Failed', 'SignerValidationFailure', problem, clock.now()),
      );
      return undefined;
    }
    const durationMs = Math.min(YEAR_MS, (expirationSeconds ?? YEAR_MS / 1000) * 1000);
    const certificate = await signer.sign(signerName, pem, { usages, durationMs });
    const status = { ...request.status, certificate: Buffer.from(certificate).toString('base64') };
    await client.updateStatus(TYPE, { ...request, status });
    return undefined;
  }

  async #problem({ spec }: ReadRequest, pem: string): Promise<string | undefined> {
    try {
      return refusal(spec.signerName, await this.#deps.signer.inspect(pem), spec.usages ?? []);
    } catch (error) {
      return `unable to parse csr: ${messageOf(error)}`;
    }
  }
}

/** Issued, approved and denied requests stay for an hour, undecided ones for a day. */
class CleaningReconciler implements Reconciler {
  readonly #deps: ReconcilerDeps;

  constructor(deps: ReconcilerDeps) {
    this.#deps = deps;
  }

  async reconcile({ name }: Request): Promise<ReconcileResult> {
    const { client, clock, requests } = this.#deps;
    const request = requests.get(name);
    if (request === undefined) return undefined;
    const leftMs = expiryMs(request) - clock.now();
    if (leftMs > 0) return { requeueAfterMs: leftMs };
    await ignoreNotFound(client.delete(TYPE, { name }, { preconditions: { uid: request.metadata.uid } }));
    return undefined;
  }
}

function expiryMs({ metadata, status }: ReadRequest): number {
  const decided = (status?.conditions ?? []).map(({ lastUpdateTime }) => Date.parse(lastUpdateTime ?? ''));
  const known = decided.filter((ms) => !Number.isNaN(ms));
  return known.length === 0 ? Date.parse(metadata.creationTimestamp) + 24 * HOUR_MS : Math.min(...known) + HOUR_MS;
}

function isWrittenAfter(lease: DeepReadonly<Lease>, { metadata }: ReadRequest): boolean {
  return BigInt(lease.metadata.resourceVersion) > BigInt(metadata.resourceVersion);
}

function has(request: ReadRequest, type: string): boolean {
  return request.status?.conditions?.some((condition) => condition.type === type) ?? false;
}

function isDecided(request: ReadRequest): boolean {
  return has(request, 'Approved') || has(request, 'Denied');
}

function pemOf({ spec }: ReadRequest): string {
  return Buffer.from(spec.request, 'base64').toString('latin1');
}

/** Undefined for what cannot be read: the signer says so, not the approver. */
async function readable<T>(promise: Promise<T>): Promise<T | undefined> {
  return promise.catch(() => undefined);
}

function withCondition(
  request: ReadRequest,
  type: string,
  reason: string,
  message: string,
  nowMs: number,
): ReadRequest {
  const now = formatTime(nowMs);
  const condition = { type, status: 'True', reason, message, lastUpdateTime: now, lastTransitionTime: now };
  return { ...request, status: { ...request.status, conditions: [...(request.status?.conditions ?? []), condition] } };
}
