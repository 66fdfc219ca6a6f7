import { FakeClock } from '../../base/clock.ts';
import { describeStoreContract } from '../conformance/store-contract.ts';
import { MemoryStore } from './memory-store.ts';

describeStoreContract('memory', async () => {
  const clock = new FakeClock();
  const store = new MemoryStore({ clock });
  return { store, advance: (ms) => clock.advance(ms), cleanup: () => store.close() };
});
