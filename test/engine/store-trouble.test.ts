import assert from 'node:assert/strict';
import { StoreError } from '../../src';
import { CoapCode } from '../../src/coap';
import { MemoryStore } from '../../src/store/memory-store';
import { Harness } from '../server/harness';
import { SimulatedClock } from '../support/simulated-clock';

describe('A store in trouble', () => {
  it('is answered for with 5.03 and Max-Age, never with 2.01, and told; and so is its recovery', async () => {
    const clock = new SimulatedClock();
    const store = new MemoryStore(clock);
    const put = store.registrations.put.bind(store.registrations);
    const harness = await Harness.start({ clock, store });
    const told: (Error | undefined)[] = [];
    harness.engine.on('trouble', (error) => told.push(error));
    store.registrations.put = () => {
      throw new StoreError('the disk is full');
    };
    const device = harness.device();
    const refused = await device.register({ endpoint: 'lamp-1' });
    assert.deepEqual([refused.code, refused.options.maxAge], [CoapCode.ServiceUnavailable, 30]);
    await clock.settle();
    assert.deepEqual(harness.topics(), []);
    assert.equal(harness.engine.devices().length, 0);
    store.registrations.put = put;
    assert.equal((await device.register({ endpoint: 'lamp-1' })).code, CoapCode.Created);
    assert.deepEqual(
      told.map((error) => error?.message),
      ['the disk is full', undefined],
    );
    await harness.close();
  });
});
