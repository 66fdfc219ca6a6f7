import { resources } from '../../api/generated/resources.ts';
import type { Pod, PodResourceClaim, ResourceClaimTemplate, ResourceResourceClaim } from '../../api/generated/types.ts';
import { type DeepReadonly, type Draft, keyOf } from '../../api/object.ts';
import type { Clock } from '../../base/clock.ts';
import type { Client, Lister } from '../../client/client.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import { ignoreNotFound } from '../../client/retry.ts';
import type { ReconcileResult, Reconciler, Request } from '../../controller/controller.ts';
import { OwnWrites } from '../../controller/own-writes.ts';
import { messageOf } from '../pod-control.ts';
import { isPodTerminal, type ReadPod } from '../pod-status.ts';
import { claimFor, claimNames, generateName, ownerUIDs, POD_CLAIM_NAME, wantedTemplates } from './claim-plan.ts';

/** How long to wait for what was written to show up. */
const CATCH_UP_MS = 100;

export interface PodClaimsReconcilerDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly pods: Lister<Pod>;
  /** With the index `owner`: the uid of the pod that a claim was made for. */
  readonly claims: Lister<ResourceResourceClaim>;
  readonly templates: Lister<ResourceClaimTemplate>;
  readonly recorder: EventRecorder;
}

/**
 * Makes the claims that a pod wants by template, and tells the pod of them. A pod that came to its node past the scheduler is put
 * into the reservations of claims that have devices.
 */
export class PodClaimsReconciler implements Reconciler {
  readonly #deps: PodClaimsReconcilerDeps;
  /** Claims that were made and may not be seen yet: they must not be made again. */
  readonly #writes: OwnWrites;

  constructor(deps: PodClaimsReconcilerDeps) {
    this.#deps = deps;
    this.#writes = new OwnWrites(deps.clock);
  }

  async reconcile({ namespace, name }: Request): Promise<ReconcileResult> {
    const pod = this.#deps.pods.get(`${namespace}/${name}`);
    if (pod === undefined || pod.metadata.deletionTimestamp !== undefined || isPodTerminal(pod)) {
      if (pod === undefined) this.#writes.forget(`${namespace}/${name}`);
      return undefined;
    }
    if (!this.#writes.caughtUp(keyOf(pod), this.#deps.claims)) return { requeueAfterMs: CATCH_UP_MS };
    await this.#makeClaims(pod);
    if (pod.spec.nodeName) for (const claim of claimNames(pod)) await this.#reserve(pod, claim);
    return undefined;
  }

  async #makeClaims(pod: ReadPod): Promise<void> {
    const { client, claims, recorder } = this.#deps;
    const made: { name: string; resourceClaimName: string }[] = [];
    for (const wanted of wantedTemplates(pod, (name) => claims.get(`${pod.metadata.namespace}/${name}`))) {
      try {
        const claim = claimFor(wanted.name, claims.byIndex('owner', pod.metadata.uid));
        const resourceClaimName = claim?.metadata.name ?? (await this.#create(pod, wanted));
        made.push({ name: wanted.name, resourceClaimName });
      } catch (error) {
        const message = `PodResourceClaim ${wanted.name}: ${messageOf(error)}`;
        recorder.event(pod, 'Warning', 'FailedResourceClaimCreation', message);
        throw error;
      }
    }
    if (made.length === 0) return;
    const patch = { metadata: { uid: pod.metadata.uid }, status: { resourceClaimStatuses: made } };
    const options = { subresource: 'status' };
    await ignoreNotFound(client.patch(resources.pods, pod.metadata, 'strategic', patch, options));
  }

  async #create(
    pod: ReadPod,
    { name, resourceClaimTemplateName = '' }: DeepReadonly<PodResourceClaim>,
  ): Promise<string> {
    const { namespace } = pod.metadata;
    const template = this.#deps.templates.get(`${namespace}/${resourceClaimTemplateName}`);
    if (template === undefined) {
      const quoted = JSON.stringify(resourceClaimTemplateName);
      throw new Error(`resource claim template ${quoted}: resourceclaimtemplate.resource.k8s.io ${quoted} not found`);
    }
    const { labels, annotations } = template.spec.metadata ?? {};
    const claim = await this.#deps.client.create(resources.resourceclaims, {
      metadata: {
        namespace,
        generateName: generateName(pod.metadata.name, name),
        ...(labels === undefined ? {} : { labels }),
        annotations: { ...annotations, [POD_CLAIM_NAME]: name },
        ownerReferences: [
          { apiVersion: 'v1', kind: 'Pod', name: pod.metadata.name, uid: pod.metadata.uid, controller: true },
        ],
      },
      spec: template.spec.spec,
    });
    this.#writes.note(keyOf(pod), claim);
    return claim.metadata.name;
  }

  async #reserve(pod: ReadPod, claimName: string): Promise<void> {
    const { name, namespace, uid } = pod.metadata;
    const claim = this.#deps.claims.get(`${namespace}/${claimName}`);
    const { allocation, reservedFor = [] } = claim?.status ?? {};
    if (claim === undefined || allocation === undefined || reservedFor.some((one) => one.uid === uid)) return;
    const owners = ownerUIDs(claim);
    if (owners.length > 0 && !owners.includes(uid)) return;
    const status = { ...claim.status, reservedFor: [...reservedFor, { resource: 'pods', name, uid }] };
    const draft = { ...claim, status } as Draft<ResourceResourceClaim>;
    await ignoreNotFound(this.#deps.client.updateStatus(resources.resourceclaims, draft));
  }
}
