import assert from 'node:assert/strict';
import { MemoryStore } from '../../src/store/memory-store';
import { SimulatedClock } from '../support/simulated-clock';
import { Harness } from './harness';

describe('Taking up what the store holds', () => {
  it('removes observations of registrations that are no more, many at a time', async () => {
    const clock = new SimulatedClock();
    const store = new MemoryStore(clock);
    const { observations } = store;
    for (let number = 0; number < 1200; number += 1) {
      const endpoint = `lamp-${number}`;
      observations.put({ endpoint, registrationId: 'gone', token: Buffer.of(1), paths: ['/3/0'], composite: false });
    }
    let underWay = 0;
    let most = 0;
    const remove = observations.remove.bind(observations);
    const slow = async (endpoint: string, token: Buffer): Promise<boolean> => {
      underWay += 1;
      most = Math.max(most, underWay);
      await clock.settle();
      underWay -= 1;
      return remove(endpoint, token);
    };
    Object.assign(observations, { remove: slow });
    const harness = await Harness.start({ clock, store });
    assert.deepEqual([observations.count(), most], [0, 500]);
    await harness.close();
  });
});
