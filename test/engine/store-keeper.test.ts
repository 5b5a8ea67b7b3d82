import assert from 'node:assert/strict';
import { StoreKeeper } from '../../src/engine/store-keeper';
import { StoreError } from '../../src/errors';
import { silentLog } from '../../src/util/log';
import { SimulatedClock } from '../support/simulated-clock';

describe('The keeper of a store', () => {
  it('does not open a store that is being opened, though somebody complains of it', async () => {
    const clock = new SimulatedClock();
    const said: (string | undefined)[] = [];
    let opens = 0;
    let opened = (): void => undefined;
    const keeper = new StoreKeeper({
      clock,
      log: silentLog,
      open: () => {
        opens += 1;
        return new Promise((resolve) => (opened = resolve));
      },
      check: () => Promise.resolve(),
      changed: (error) => said.push(error?.message),
    });
    const started = keeper.start();
    keeper.failed(new StoreError('what is expired cannot be removed'));
    await clock.advance(60_000);
    assert.equal(opens, 1);
    opened();
    await started;
    assert.deepEqual([keeper.isOpen, said], [true, ['what is expired cannot be removed', undefined]]);
    await clock.advance(60_000);
    assert.deepEqual([opens, clock.timers], [1, 0]);
    await keeper.close();
  });
});
