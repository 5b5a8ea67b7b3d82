import assert from 'node:assert/strict';
import { ObjectDefinitions, parsePath } from '../../src/model';
import { DeviceModels } from '../../src/server/device-model';
import { OrderQueue } from '../../src/server/order-queue';
import { RegisteredClients } from '../../src/server/registered-clients';
import type { QueuedRequest } from '../../src/server/waiting-order';
import { MemoryKeyed } from '../../src/store/memory-keyed';
import { silentLog } from '../../src/util/log';
import { SimulatedClock } from '../support/simulated-clock';

describe('The queue of orders', () => {
  it('takes orders however many observations wait, and no more of them than it may', async () => {
    const clock = new SimulatedClock();
    const queue = new OrderQueue({
      clock,
      log: silentLog,
      clients: new RegisteredClients(clock, new DeviceModels(ObjectDefinitions.builtIn()), () => 93_000),
      gate: { refusal: () => undefined, isSuspended: () => true },
      store: new MemoryKeyed(),
      maxOrders: 2,
      storeFailed: (error) => assert.fail(error.message),
    });
    const outcomes: Promise<string>[] = [];
    const give = (endpoint: string, operation?: QueuedRequest<void>['operation']): void => {
      const request = { endpoint, operation, idempotent: true, send: () => Promise.resolve() };
      outcomes.push(
        queue.submit(request, {}).then(
          () => 'done',
          (error: Error) => error.message,
        ),
      );
    };
    for (const endpoint of ['a', 'b', 'c']) give(endpoint);
    for (const endpoint of ['a', 'b', 'c']) give(endpoint, { operation: 'read', paths: [parsePath('/3/0/0')] });
    await clock.settle();
    assert.equal(queue.size, 2);
    // It takes the place of the one that waits.
    give('a', { operation: 'read', paths: [parsePath('/3/0/0')] });
    await clock.settle();
    queue.close();
    const closed = 'the engine was closed';
    assert.deepEqual(await Promise.all(outcomes), [
      closed,
      closed,
      closed,
      'superseded by a newer order for the same path',
      closed,
      'too many orders wait for c',
      closed,
    ]);
    assert.equal(queue.size, 0);
  });
});
