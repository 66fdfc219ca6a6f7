import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeClock } from '../../base/clock.ts';
import { describeStoreContract } from '../conformance/store-contract.ts';
import { LevelStore } from './level-store.ts';

describeStoreContract('level', async () => {
  const clock = new FakeClock();
  const path = await mkdtemp(join(tmpdir(), 'kube-lite-store-'));
  let store = await LevelStore.open({ path }, { clock });
  return {
    store,
    reopen: async () => {
      await store.close();
      store = await LevelStore.open({ path }, { clock });
      return store;
    },
    advance: (ms) => clock.advance(ms),
    cleanup: async () => {
      await store.close();
      await rm(path, { recursive: true });
    },
  };
});
