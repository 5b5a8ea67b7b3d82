import assert from 'node:assert/strict';
import { MemoryAudit } from '../../src/store/memory-audit';
import { MemoryStore } from '../../src/store/memory-store';
import { SimulatedClock } from '../support/simulated-clock';
import { storeContract } from './store-contract';

storeContract('The store in memory', async () => {
  const clock = new SimulatedClock();
  const store = new MemoryStore(clock);
  await store.open();
  return { store, clock };
});

describe('The audit in memory', () => {
  it('keeps the newest entries', () => {
    const audit = new MemoryAudit(3);
    for (let at = 1; at <= 10; at += 1) audit.append({ at, operation: 'read', paths: [], outcome: 'succeeded' });
    assert.deepEqual(
      audit.query({ limit: 100 }).map(({ at, number }) => [at, number]),
      [
        [10, 10],
        [9, 9],
        [8, 8],
      ],
    );
    assert.deepEqual(audit.query({ limit: 100, before: 8 }), []);
  });

  it('gives and keeps copies', () => {
    const audit = new MemoryAudit();
    const paths = ['/3/0'];
    audit.append({ at: 1, operation: 'read', paths, outcome: 'succeeded' });
    paths.push('/4/0');
    assert.deepEqual(audit.query({ limit: 1 })[0]?.paths, ['/3/0']);
  });
});
