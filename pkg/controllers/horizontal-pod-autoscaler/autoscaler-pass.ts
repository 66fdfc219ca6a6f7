import { resources } from '../../api/generated/resources.ts';
import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerStatus,
  MetricStatus,
  Pod,
  Scale,
} from '../../api/generated/types.ts';
import { type LabelQuery, parseLabelQuery } from '../../api/label-query.ts';
import type { DeepReadonly, ResourceType } from '../../api/object.ts';
import { matchesRequirements } from '../../api/selector.ts';
import { formatTime } from '../../api/time.ts';
import type { Clock } from '../../base/clock.ts';
import type { Client, Lister } from '../../client/client.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import { discover } from '../discover.ts';
import { messageOf } from '../pod-control.ts';
import type { ReadPod } from '../pod-status.ts';
import { type History, normalize, remember } from './behavior.ts';
import { type ConditionType, withCondition } from './conditions.ts';
import { MetricFailure, type MetricProposal, proposeFor, type Target } from './metric-proposals.ts';
import type { MetricsSource } from './metrics-source.ts';
import { milliOf } from './quantities.ts';

export interface AutoscalerPassDeps {
  readonly client: Client;
  readonly pods: Lister<Pod>;
  readonly source: MetricsSource;
  readonly recorder: EventRecorder;
  readonly clock: Clock;
}

/** What outlives a pass, by autoscaler. */
export interface AutoscalerMemory {
  readonly histories: Map<string, History>;
  /** Whose pods it counts: two autoscalers must not count the same ones. */
  readonly selectors: Map<string, { readonly namespace: string; readonly query: LabelQuery }>;
}

interface Found {
  readonly type: ResourceType;
  readonly scale: DeepReadonly<Scale>;
}

interface Wanted {
  readonly replicas: number;
  readonly reason: string;
  readonly metrics?: readonly DeepReadonly<MetricStatus>[];
}

type Autoscaler = DeepReadonly<HorizontalPodAutoscaler>;
type Status = DeepReadonly<HorizontalPodAutoscalerStatus>;

const TOLERANCE = 0.1;
const NO_HISTORY: History = { recommendations: [], changes: [] };

/** Ends a pass: events and conditions have said why. */
class Ended extends Error {
  override readonly name = 'Ended';
}

/** One look at one autoscaler: asks, decides, scales. Upstream: reconcileAutoscaler. */
export class AutoscalerPass {
  readonly #autoscaler: Autoscaler;
  readonly #deps: AutoscalerPassDeps;
  readonly #memory: AutoscalerMemory;
  readonly #key: string;
  readonly #nowMs: number;
  /** Histories are of this process, and go on evenly when the wall clock is set. */
  readonly #monotonicMs: number;
  #conditions: NonNullable<Status['conditions']>;
  #currentReplicas: number | undefined;
  #metrics: readonly DeepReadonly<MetricStatus>[] | undefined;

  constructor(autoscaler: Autoscaler, deps: AutoscalerPassDeps, memory: AutoscalerMemory) {
    this.#autoscaler = autoscaler;
    this.#deps = deps;
    this.#memory = memory;
    this.#key = `${autoscaler.metadata.namespace}/${autoscaler.metadata.name}`;
    this.#nowMs = deps.clock.now();
    this.#monotonicMs = deps.clock.monotonic();
    this.#conditions = autoscaler.status?.conditions ?? [];
  }

  /** The status as it is to be. */
  async run(): Promise<Status> {
    const { status } = this.#autoscaler;
    let desired = status?.desiredReplicas ?? 0;
    let rescaled = false;
    try {
      const found = await this.#findScale();
      const current = found.scale.spec?.replicas ?? 0;
      this.#currentReplicas = current;
      if (!this.#memory.histories.has(this.#key)) this.#remember({ recommendation: current });
      const wanted = await this.#wanted(found, current);
      if (wanted.metrics !== undefined) this.#metrics = wanted.metrics;
      desired = wanted.replicas;
      rescaled = desired !== current;
      if (rescaled) await this.#rescale(found, current, wanted);
    } catch (error) {
      if (!(error instanceof Ended)) throw error;
      desired = status?.desiredReplicas ?? 0;
      rescaled = false;
    }
    const currentReplicas = this.#currentReplicas ?? status?.currentReplicas;
    const lastScaleTime = rescaled ? formatTime(this.#nowMs) : status?.lastScaleTime;
    return {
      ...(lastScaleTime === undefined ? {} : { lastScaleTime }),
      ...(currentReplicas ? { currentReplicas } : {}),
      desiredReplicas: desired,
      currentMetrics: (this.#metrics ?? null) as NonNullable<Status['currentMetrics']>,
      conditions: this.#conditions,
    };
  }

  async #findScale(): Promise<Found> {
    const { namespace } = this.#autoscaler.metadata;
    const { name } = this.#autoscaler.spec.scaleTargetRef;
    try {
      const type = await this.#typeOf(this.#autoscaler.spec.scaleTargetRef);
      const scale = await this.#deps.client.getSubresource<Scale>(type, { namespace, name }, 'scale');
      const message = "the HPA controller was able to get the target's current scale";
      this.#set('AbleToScale', true, 'SucceededGetScale', message);
      return { type, scale };
    } catch (error) {
      this.#event('Warning', 'FailedGetScale', messageOf(error));
      const message = `the HPA controller was unable to get the target's current scale: ${messageOf(error)}`;
      this.#set('AbleToScale', false, 'FailedGetScale', message);
      throw new Ended();
    }
  }

  /** In whatever version the group serves: the one that is named may be gone. */
  async #typeOf({
    apiVersion = '',
    kind,
  }: {
    readonly apiVersion?: string;
    readonly kind: string;
  }): Promise<ResourceType> {
    const slash = apiVersion.indexOf('/');
    const group = slash < 0 ? '' : apiVersion.slice(0, slash);
    const isIt = (type: ResourceType): boolean => type.group === group && type.kind === kind;
    const builtin = (Object.values(resources) as ResourceType[]).find(isIt);
    if (builtin !== undefined) return builtin;
    const { resources: served } = await discover(this.#deps.client);
    const custom = served.map(({ type }) => type).find(isIt);
    if (custom === undefined)
      throw new Error(`no matches for kind ${JSON.stringify(kind)} in group ${JSON.stringify(group)}`);
    return custom;
  }

  async #wanted(found: Found, current: number): Promise<Wanted> {
    const { minReplicas: min = 1, maxReplicas: max } = this.#autoscaler.spec;
    if (current === 0 && min !== 0) {
      const message = 'scaling is disabled since the replica count of the target is zero';
      this.#set('ScalingActive', false, 'ScalingDisabled', message);
      return { replicas: 0, reason: '' };
    }
    if (current > max) return { replicas: max, reason: 'Current number of replicas above Spec.MaxReplicas' };
    if (current < min) return { replicas: min, reason: 'Current number of replicas below Spec.MinReplicas' };
    const { highest, metrics } = await this.#proposals(found);
    const reason =
      highest.replicas > current
        ? `${highest.name} above target`
        : highest.replicas < current
          ? 'All metrics below target'
          : '';
    return { replicas: this.#normalized(current, highest.replicas, { min, max }), reason, metrics };
  }

  async #proposals({
    scale,
  }: Found): Promise<{ highest: MetricProposal; metrics: readonly DeepReadonly<MetricStatus>[] }> {
    const { metrics: specs = [] } = this.#autoscaler.spec;
    const target = this.#target(scale);
    const statuses: DeepReadonly<MetricStatus>[] = [];
    const failures: MetricFailure[] = [];
    let highest: MetricProposal | undefined;
    for (const spec of specs) {
      try {
        const proposal = await proposeFor(spec, target, {
          source: this.#deps.source,
          describe: async (reference) => ({ type: await this.#typeOf(reference), name: reference.name }),
        });
        statuses.push(proposal.status);
        if (highest === undefined || proposal.replicas > highest.replicas) highest = proposal;
      } catch (error) {
        if (!(error instanceof MetricFailure)) throw error;
        this.#event('Warning', error.reason, error.detail);
        failures.push(error);
        // Upstream keeps a place for it.
        statuses.push({ type: '' });
      }
    }
    this.#metrics = statuses;
    const [first] = failures;
    // What is not known may be the reason for having as many.
    if (highest === undefined || (first !== undefined && highest.replicas < target.specReplicas)) {
      if (first !== undefined) {
        const message = `the HPA was unable to compute the replica count: ${first.detail}`;
        this.#set('ScalingActive', false, first.reason, message);
      }
      const count = `${failures.length} invalid out of ${specs.length}`;
      this.#fail(`invalid metrics (${count}), first error is: ${first?.message ?? 'none'}`);
    }
    const message = `the HPA was able to successfully calculate a replica count from ${highest.name}`;
    this.#set('ScalingActive', true, 'ValidMetricFound', message);
    return { highest, metrics: statuses };
  }

  #target(scale: DeepReadonly<Scale>): Target {
    const { namespace } = this.#autoscaler.metadata;
    const selector = scale.status?.selector ?? '';
    if (selector === '') {
      this.#event('Warning', 'SelectorRequired', 'selector is required');
      this.#set('ScalingActive', false, 'InvalidSelector', "the HPA target's scale is missing a selector");
      this.#fail('selector is required');
    }
    const query = parseLabelQuery(selector);
    this.#memory.selectors.set(this.#key, { namespace, query });
    const pods = [...this.#deps.pods.list(namespace)].filter(({ metadata }) =>
      matchesRequirements(query, metadata.labels),
    );
    this.#checkAlone(pods, selector);
    const { scaleUp, scaleDown } = this.#autoscaler.spec.behavior ?? {};
    return {
      namespace,
      specReplicas: scale.spec?.replicas ?? 0,
      statusReplicas: scale.status?.replicas ?? 0,
      selector,
      pods,
      tolerances: { up: toleranceOf(scaleUp?.tolerance), down: toleranceOf(scaleDown?.tolerance) },
      nowMs: this.#nowMs,
    };
  }

  #checkAlone(pods: readonly ReadPod[], selector: string): void {
    const { namespace } = this.#autoscaler.metadata;
    const controlling = [...this.#memory.selectors].filter(
      ([, other]) =>
        other.namespace === namespace && pods.some(({ metadata }) => matchesRequirements(other.query, metadata.labels)),
    );
    if (controlling.length < 2) return;
    const names = controlling.map(([key]) => key).sort();
    const message = `pods by selector ${selector} are controlled by multiple HPAs: [${names.join(' ')}]`;
    this.#event('Warning', 'AmbiguousSelector', message);
    this.#set('ScalingActive', false, 'AmbiguousSelector', message);
    this.#fail(message);
  }

  #normalized(current: number, recommended: number, bounds: { min: number; max: number }): number {
    const { behavior } = this.#autoscaler.spec;
    const history = this.#memory.histories.get(this.#key) ?? NO_HISTORY;
    const { replicas, stabilized, limited } = normalize(
      behavior,
      history,
      current,
      recommended,
      bounds,
      this.#monotonicMs,
    );
    this.#remember({ recommendation: recommended });
    this.#set('AbleToScale', true, stabilized.reason, stabilized.message);
    this.#set('ScalingLimited', limited.isLimited, limited.reason, limited.message);
    return replicas;
  }

  async #rescale({ type, scale }: Found, current: number, { replicas, reason }: Wanted): Promise<void> {
    const { namespace, name } = scale.metadata ?? {};
    const body = { ...scale, spec: { ...scale.spec, replicas } };
    try {
      await this.#deps.client.update(type, body as never, { subresource: 'scale' });
    } catch (error) {
      const text = messageOf(error);
      this.#event('Warning', 'FailedRescale', `New size: ${replicas}; reason: ${reason}; error: ${text}`);
      const message = `the HPA controller was unable to update the target scale: ${text}`;
      this.#set('AbleToScale', false, 'FailedUpdateScale', message);
      throw new Ended(`${namespace}/${name}`);
    }
    const message = `the HPA controller was able to update the target scale to ${replicas}`;
    this.#set('AbleToScale', true, 'SucceededRescale', message);
    this.#event('Normal', 'SuccessfulRescale', `New size: ${replicas}; reason: ${reason}`);
    this.#remember({ from: current, to: replicas });
  }

  /** All metrics together give no number. */
  #fail(message: string): never {
    this.#event('Warning', 'FailedComputeMetricsReplicas', message);
    throw new Ended();
  }

  #remember(added: Parameters<typeof remember>[2]): void {
    const history = this.#memory.histories.get(this.#key) ?? NO_HISTORY;
    this.#memory.histories.set(this.#key, remember(history, this.#autoscaler.spec.behavior, added, this.#monotonicMs));
  }

  #set(type: ConditionType, isTrue: boolean, reason: string, message: string): void {
    const stored = this.#autoscaler.status?.conditions ?? [];
    this.#conditions = withCondition(this.#conditions, stored, { type, isTrue, reason, message }, this.#nowMs);
  }

  #event(type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#deps.recorder.event(this.#autoscaler, type, reason, message);
  }
}

function toleranceOf(quantity: string | undefined): number {
  return quantity === undefined ? TOLERANCE : milliOf(quantity) / 1000;
}
