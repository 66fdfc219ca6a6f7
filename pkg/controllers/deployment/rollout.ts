import { isStatusError } from '../../api/errors.ts';
import { resources } from '../../api/generated/resources.ts';
import type { DeploymentStatus } from '../../api/generated/types.ts';
import type { DeepReadonly } from '../../api/object.ts';
import type { Clock } from '../../base/clock.ts';
import { equalJSON } from '../../base/json.ts';
import type { Client } from '../../client/client.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import { isControlledBy, newControllerRef } from '../owner.ts';
import { isNamespaceTerminating, messageOf } from '../pod-control.ts';
import { sameStatus } from '../same-status.ts';
import { maxRevision, newestAnnotations, REVISION, sizeAnnotations } from './annotations.ts';
import { oldestFirst, type ReadDeployment, type ReadReplicaSet, replicasOf } from './replica-counts.ts';
import { newestSize } from './scaling.ts';
import { conditionOf, hasProgressDeadline, withCondition } from './status.ts';
import { sameTemplate, TEMPLATE_HASH_LABEL, templateHash } from './template-hash.ts';

export interface RolloutDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly recorder: EventRecorder;
}

type Conditions = NonNullable<DeepReadonly<DeploymentStatus>['conditions']>;

/** One pass over a Deployment and its ReplicaSets; knows what it has written and goes on from that. */
export class Rollout {
  readonly #deps: RolloutDeps;
  #deployment: ReadDeployment;
  /** All ReplicaSets, oldest first. */
  #sets: ReadReplicaSet[];
  #newest: ReadReplicaSet | undefined;
  #tellsOfCreation = true;

  constructor(deployment: ReadDeployment, sets: readonly ReadReplicaSet[], deps: RolloutDeps) {
    this.#deployment = deployment;
    this.#sets = sets.toSorted(oldestFirst);
    this.#newest = this.#sets.find((set) => sameTemplate(set.spec.template ?? {}, deployment.spec.template));
    this.#deps = deps;
  }

  get deployment(): ReadDeployment {
    return this.#deployment;
  }

  get sets(): readonly ReadReplicaSet[] {
    return this.#sets;
  }

  get newest(): ReadReplicaSet | undefined {
    return this.#newest;
  }

  get old(): readonly ReadReplicaSet[] {
    return this.#sets.filter((set) => set !== this.#newest);
  }

  /** Brings revision and annotations of the newest ReplicaSet up to date; undefined when the template has none yet. */
  async syncNewest(): Promise<ReadReplicaSet | undefined> {
    const newest = this.#newest;
    if (newest === undefined) return undefined;
    const deployment = this.#deployment;
    const revision = maxRevision(this.old) + 1n;
    const present = newest.metadata.annotations ?? {};
    const annotations = newestAnnotations(deployment, present, revision);
    const minReadySeconds = deployment.spec.minReadySeconds ?? 0;
    if (!equalJSON(annotations, present) || (newest.spec.minReadySeconds ?? 0) !== minReadySeconds) {
      const metadata = { ...newest.metadata, annotations };
      await this.#replace(newest, { ...newest, metadata, spec: { ...newest.spec, minReadySeconds } });
    }
    const conditions = deployment.status?.conditions ?? [];
    const found =
      hasProgressDeadline(deployment) && conditionOf(conditions, 'Progressing') === undefined
        ? withCondition(
            conditions,
            'Progressing',
            'True',
            'FoundNewReplicaSet',
            `Found new replica set "${newest.metadata.name}"`,
            this.#deps.clock.now(),
          )
        : conditions;
    await this.#note(annotations[REVISION] ?? String(revision), found);
    return this.#newest;
  }

  /** Writes that the Deployment was paused or resumed: what is created in the same pass is not told in its conditions. */
  async notePause(conditions: Conditions): Promise<void> {
    await this.writeStatus({ ...this.#deployment.status, conditions });
    this.#tellsOfCreation = false;
  }

  /** The newest ReplicaSet, created when the template has none yet. */
  async ensureNewest(): Promise<ReadReplicaSet | undefined> {
    if (this.#newest !== undefined) return this.syncNewest();
    const revision = maxRevision(this.#sets) + 1n;
    const draft = this.#draft(revision);
    let created = false;
    let newest: ReadReplicaSet;
    try {
      newest = await this.#deps.client.create(resources.replicasets, draft);
      created = true;
    } catch (error) {
      if (isNamespaceTerminating(error)) return undefined;
      if (!isStatusError(error, 'AlreadyExists')) await this.#creationFailed(draft.metadata.name, error);
      newest = await this.#resolveCollision(draft.metadata.name, error);
    }
    this.#newest = newest;
    this.#sets.push(newest);
    if (created && draft.spec.replicas > 0) this.#scaledEvent(draft.metadata.name, 0, draft.spec.replicas);
    const conditions = this.#deployment.status?.conditions ?? [];
    const noted =
      created && this.#tellsOfCreation && hasProgressDeadline(this.#deployment)
        ? withCondition(
            conditions,
            'Progressing',
            'True',
            'NewReplicaSetCreated',
            `Created new replica set "${newest.metadata.name}"`,
            this.#deps.clock.now(),
          )
        : conditions;
    await this.#note(String(revision), noted);
    return newest;
  }

  /** Gives a ReplicaSet a size and the present annotations; true when the size has changed. */
  async scale(set: ReadReplicaSet, replicas: number): Promise<boolean> {
    const sizes = sizeAnnotations(this.#deployment);
    const before = replicasOf(set);
    const annotations = { ...set.metadata.annotations, ...sizes };
    if (before === replicas && equalJSON(annotations, set.metadata.annotations ?? {})) return false;
    const metadata = { ...set.metadata, annotations };
    await this.#replace(set, { ...set, metadata, spec: { ...set.spec, replicas } });
    if (before === replicas) return false;
    this.#scaledEvent(set.metadata.name, before, replicas);
    return true;
  }

  /** Writes the status unless it is what is stored. True: written. */
  async writeStatus(status: DeepReadonly<DeploymentStatus>): Promise<boolean> {
    if (sameStatus(this.#deployment.status, status)) return false;
    this.#deployment = await this.#deps.client.updateStatus(resources.deployments, { ...this.#deployment, status });
    return true;
  }

  #draft(revision: bigint) {
    const deployment = this.#deployment;
    const { template, selector, minReadySeconds } = deployment.spec;
    const hash = templateHash(template, deployment.status?.collisionCount);
    const labels = { ...template.metadata?.labels, [TEMPLATE_HASH_LABEL]: hash };
    const annotations = {
      ...newestAnnotations(deployment, {}, revision),
      ...sizeAnnotations(deployment),
    };
    return {
      metadata: {
        name: `${deployment.metadata.name}-${hash}`,
        namespace: deployment.metadata.namespace,
        labels,
        annotations,
        ownerReferences: [newControllerRef(resources.deployments, deployment)],
      },
      spec: {
        replicas: newestSize(deployment, this.#sets, 0),
        ...(minReadySeconds === undefined ? {} : { minReadySeconds }),
        selector: { ...selector, matchLabels: { ...selector.matchLabels, [TEMPLATE_HASH_LABEL]: hash } },
        template: { ...template, metadata: { ...template.metadata, labels } },
      },
    };
  }

  /** The name is taken: by ours, which an old view did not show, or by another template with the same hash. */
  async #resolveCollision(name: string, error: unknown): Promise<ReadReplicaSet> {
    const { namespace } = this.#deployment.metadata;
    const other = await this.#deps.client.get(resources.replicasets, { namespace, name });
    const ours = isControlledBy(other, this.#deployment);
    if (ours && sameTemplate(other.spec.template ?? {}, this.#deployment.spec.template)) return other;
    const collisionCount = (this.#deployment.status?.collisionCount ?? 0) + 1;
    await this.writeStatus({ ...this.#deployment.status, collisionCount });
    throw error;
  }

  async #creationFailed(name: string, error: unknown): Promise<never> {
    const message = `Failed to create new replica set "${name}": ${messageOf(error)}`;
    if (hasProgressDeadline(this.#deployment)) {
      const { conditions = [] } = this.#deployment.status ?? {};
      const now = this.#deps.clock.now();
      await this.writeStatus({
        ...this.#deployment.status,
        conditions: withCondition(conditions, 'Progressing', 'False', 'ReplicaSetCreateError', message, now),
      });
    }
    this.#deps.recorder.event(this.#deployment, 'Warning', 'ReplicaSetCreateError', message);
    throw error;
  }

  /** Notes the revision on the Deployment together with conditions: one write, or none. */
  async #note(revision: string, conditions: Conditions): Promise<void> {
    const deployment = this.#deployment;
    const { annotations } = deployment.metadata;
    if (annotations?.[REVISION] === revision && conditions === (deployment.status?.conditions ?? conditions)) return;
    const metadata = { ...deployment.metadata, annotations: { ...annotations, [REVISION]: revision } };
    const status = { ...deployment.status, conditions };
    this.#deployment = await this.#deps.client.updateStatus(resources.deployments, { ...deployment, metadata, status });
  }

  async #replace(set: ReadReplicaSet, next: ReadReplicaSet): Promise<void> {
    const written = await this.#deps.client.update(resources.replicasets, next);
    this.#sets = this.#sets.map((other) => (other === set ? written : other));
    if (this.#newest === set) this.#newest = written;
  }

  #scaledEvent(name: string, from: number, to: number): void {
    const message = `Scaled ${from < to ? 'up' : 'down'} replica set ${name} from ${from} to ${to}`;
    this.#deps.recorder.event(this.#deployment, 'Normal', 'ScalingReplicaSet', message);
  }
}
