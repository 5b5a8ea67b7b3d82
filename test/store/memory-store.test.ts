import { MemoryStore } from '../../src/store/memory-store';
import { SimulatedClock } from '../support/simulated-clock';
import { storeContract } from './store-contract';

storeContract('The store in memory', async () => {
  const clock = new SimulatedClock();
  const store = new MemoryStore(clock);
  await store.open();
  return { store, clock };
});
