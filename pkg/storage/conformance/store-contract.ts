import { afterEach, beforeEach, describe } from 'vitest';
import type { Store } from '../contract.ts';
import { describeKeys } from './keys.ts';
import { describeLifetime } from './lifetime.ts';
import { describeWatches } from './watches.ts';

export interface StoreUnderTest {
  readonly store: Store;
  /** Closes the store and opens it again on the same data; absent where nothing outlives the store. */
  readonly reopen?: () => Promise<Store>;
  /** Lets `ms` pass for the store. */
  readonly advance: (ms: number) => Promise<void>;
  readonly cleanup: () => Promise<void>;
}

/** The suite that every backend of the store contract passes. */
export function describeStoreContract(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`${name}: store contract`, () => {
    let subject: StoreUnderTest;

    beforeEach(async () => {
      subject = await open();
    });
    afterEach(() => subject.cleanup());

    for (const part of [describeKeys, describeWatches, describeLifetime]) part(() => subject);
  });
}
