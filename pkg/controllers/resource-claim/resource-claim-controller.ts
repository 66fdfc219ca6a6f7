import { resources } from '../../api/generated/resources.ts';
import type { Pod, PodResourceClaim, ResourceClaimTemplate, ResourceResourceClaim } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';
import type { Component } from '../../base/lifecycle.ts';
import type { Client, Lister } from '../../client/client.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import { ignoreNotFound } from '../../client/retry.ts';
import type { ReconcileResult, Reconciler, Request } from '../../controller/controller.ts';
import { Controller } from '../../controller/run-controller.ts';
import { fromInformer } from '../../controller/sources.ts';
import { type ControllerCommonDeps, recorderFor } from '../deps.ts';
import { newControllerRef } from '../owner.ts';
import { messageOf } from '../pod-control.ts';
import { isPodTerminal, type ReadPod } from '../pod-status.ts';
import { claimFor, ownerUIDs, POD_CLAIM_NAME, statusWithout, wantedTemplates } from './claim-plan.ts';

/** Makes the claims that pods want by template, and takes pods that have ended out of the claims that are reserved for them. */
export function newResourceClaimController(deps: ControllerCommonDeps): Component {
  const pods = deps.informers.for(resources.pods);
  const claims = deps.informers.for(resources.resourceclaims, { indexers: { owner: ownerUIDs } });
  const templates = deps.informers.for(resources.resourceclaimtemplates);
  const podRequest = ({ metadata: { namespace, name } }: ReadPod): Request => ({ namespace, name });
  const wants = (pod: ReadPod): boolean => (pod.spec.resourceClaims ?? []).length > 0;
  return new Controller(
    {
      name: 'resource-claim-controller',
      sources: [
        fromInformer(pods, { map: (pod) => (wants(pod) ? [podRequest(pod)] : []) }),
        fromInformer(claims, {
          map: ({ metadata, status }) =>
            (status?.reservedFor ?? [])
              .filter(({ resource }) => resource === 'pods')
              .map(({ name }) => ({ namespace: metadata.namespace, name })),
        }),
        fromInformer(templates, {
          map: ({ metadata }) => [...pods.lister.list(metadata.namespace)].filter(wants).map(podRequest),
          updated: () => false,
        }),
      ],
      reconciler: new ResourceClaimReconciler({
        ...deps,
        pods: pods.lister,
        claims: claims.lister,
        templates: templates.lister,
        recorder: recorderFor('resource_claim', deps),
      }),
    },
    deps,
  );
}

export interface ResourceClaimReconcilerDeps {
  readonly client: Client;
  readonly pods: Lister<Pod>;
  /** With the index `owner`: the uid of the pod that a claim was made for. */
  readonly claims: Lister<ResourceResourceClaim>;
  readonly templates: Lister<ResourceClaimTemplate>;
  readonly recorder: EventRecorder;
}

/** A request is a pod; it may be gone. */
export class ResourceClaimReconciler implements Reconciler {
  readonly #deps: ResourceClaimReconcilerDeps;

  constructor(deps: ResourceClaimReconcilerDeps) {
    this.#deps = deps;
  }

  async reconcile({ namespace, name }: Request): Promise<ReconcileResult> {
    const pod = this.#deps.pods.get(`${namespace}/${name}`);
    if (pod === undefined || isPodTerminal(pod)) await this.#release({ namespace, name }, pod);
    else if (pod.metadata.deletionTimestamp === undefined) await this.#makeClaims(pod);
    return undefined;
  }

  async #makeClaims(pod: ReadPod): Promise<void> {
    const made: { name: string; resourceClaimName: string }[] = [];
    for (const wanted of wantedTemplates(pod)) {
      try {
        const claim = claimFor(wanted.name, this.#deps.claims.byIndex('owner', pod.metadata.uid));
        const resourceClaimName = claim?.metadata.name ?? (await this.#create(pod, wanted));
        made.push({ name: wanted.name, resourceClaimName });
      } catch (error) {
        const message = `PodResourceClaim ${wanted.name}: ${messageOf(error)}`;
        this.#deps.recorder.event(pod, 'Warning', 'FailedResourceClaimCreation', message);
        throw error;
      }
    }
    if (made.length === 0) return;
    const patch = { metadata: { uid: pod.metadata.uid }, status: { resourceClaimStatuses: made } };
    const options = { subresource: 'status' };
    await ignoreNotFound(this.#deps.client.patch(resources.pods, pod.metadata, 'strategic', patch, options));
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
        generateName: `${pod.metadata.name}-${name}-`,
        ...(labels === undefined ? {} : { labels }),
        annotations: { ...annotations, [POD_CLAIM_NAME]: name },
        ownerReferences: [newControllerRef(resources.pods, pod)],
      },
      spec: template.spec.spec,
    });
    return claim.metadata.name;
  }

  /** What a pod that has ended held is free for others; claims that were made for it go. */
  async #release({ namespace, name }: Request, pod: ReadPod | undefined): Promise<void> {
    const { client, claims } = this.#deps;
    for (const claim of claims.list(namespace)) {
      const status = statusWithout(claim, name);
      if (status === undefined) continue;
      await ignoreNotFound(client.updateStatus(resources.resourceclaims, { ...claim, status }));
    }
    for (const { metadata } of pod === undefined ? [] : claims.byIndex('owner', pod.metadata.uid)) {
      if (metadata.deletionTimestamp === undefined) {
        await ignoreNotFound(client.delete(resources.resourceclaims, metadata));
      }
    }
  }
}
