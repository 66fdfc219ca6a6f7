import { DeviceSelectors } from '../../api/scheduling/device-selectors.ts';
import type { SchedulerInformers } from '../framework/handle.ts';
import type { PodInfo } from '../framework/pod-info.ts';
import { isExtendedResource } from '../plugins/resource-score.ts';
import { ClaimTracker } from './claim-tracker.ts';
import type { ReadClass } from './device-id.ts';
import { CLASS_PREFIX } from './extended-resources.ts';
import { SliceIndex } from './slice-index.ts';

/** What all profiles share of devices: who has which, which there are, and the engine that selects them. */
export class DeviceState {
  readonly claims: ClaimTracker;
  readonly slices = new SliceIndex();
  readonly #informers: SchedulerInformers;
  #selectors: DeviceSelectors | undefined;
  #loading: Promise<void> | undefined;
  /** Extended resource -> class; undefined: to be made again. */
  #byResource: ReadonlyMap<string, ReadClass> | undefined;

  constructor(informers: SchedulerInformers) {
    this.claims = new ClaimTracker(informers.resourceClaims);
    this.#informers = informers;
  }

  /** Follows the informers; returns the end of it. */
  follow(): () => void {
    const changed = (): void => {
      this.#byResource = undefined;
    };
    const ends = [
      this.claims.follow(),
      this.slices.follow(this.#informers.resourceSlices),
      this.#informers.deviceClasses.addHandler({ onAdd: changed, onUpdate: changed, onDelete: changed }),
    ];
    return () => {
      for (const end of ends) end();
    };
  }

  /** The selectors' engine, once it is loaded: clusters without devices do without it. */
  get selectors(): DeviceSelectors | undefined {
    return this.#selectors;
  }

  load(): Promise<void> {
    this.#loading ??= DeviceSelectors.load().then((loaded) => {
      this.#selectors = loaded;
    });
    return this.#loading;
  }

  classOf(name: string): ReadClass | undefined {
    return this.#informers.deviceClasses.lister.get(name);
  }

  /** The class whose devices an extended resource stands for; the newest one of several. */
  classForResource(resource: string): ReadClass | undefined {
    const classes = this.#informers.deviceClasses.lister;
    if (classes.size === 0) return undefined;
    if (resource.startsWith(CLASS_PREFIX)) return classes.get(resource.slice(CLASS_PREFIX.length));
    this.#byResource ??= byResource(classes.list());
    return this.#byResource.get(resource);
  }

  /** The extended resources of a pod, if devices stand for one of them. */
  extendedResources({ requests }: PodInfo): readonly (readonly [name: string, amount: number])[] {
    if (this.#informers.deviceClasses.lister.size === 0) return [];
    const extended = [...requests].filter(
      ([name, amount]) => amount > 0 && (isExtendedResource(name) || name.startsWith(CLASS_PREFIX)),
    );
    return extended.some(([name]) => this.classForResource(name) !== undefined) ? extended : [];
  }
}

function byResource(classes: Iterable<ReadClass>): ReadonlyMap<string, ReadClass> {
  const found = new Map<string, ReadClass>();
  for (const one of classes) {
    const { extendedResourceName } = one.spec;
    if (!extendedResourceName) continue;
    const known = found.get(extendedResourceName);
    if (known === undefined || comesFirst(one, known)) found.set(extendedResourceName, one);
  }
  return found;
}

function comesFirst({ metadata }: ReadClass, { metadata: other }: ReadClass): boolean {
  const [created = '', before = ''] = [metadata.creationTimestamp, other.creationTimestamp];
  return created === before ? metadata.name < other.name : created > before;
}
