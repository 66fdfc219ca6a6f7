import { DeviceSelectors } from '../../api/scheduling/device-selectors.ts';
import type { SchedulerInformers } from '../framework/handle.ts';
import { ClaimTracker } from './claim-tracker.ts';
import type { ReadClass } from './device-id.ts';
import { SliceIndex } from './slice-index.ts';

/** What all profiles share of devices: who has which, which there are, and the engine that selects them. */
export class DeviceState {
  readonly claims: ClaimTracker;
  readonly slices = new SliceIndex();
  readonly #informers: SchedulerInformers;
  #selectors: DeviceSelectors | undefined;
  #loading: Promise<void> | undefined;

  constructor(informers: SchedulerInformers) {
    this.claims = new ClaimTracker(informers.resourceClaims);
    this.#informers = informers;
  }

  /** Follows the informers; returns the end of it. */
  follow(): () => void {
    const ends = [this.claims.follow(), this.slices.follow(this.#informers.resourceSlices)];
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
}
