import assert from 'node:assert/strict';
import { parsePath } from '../../src';
import { Harness } from '../server/harness';

describe('A list of devices', () => {
  let harness: Harness;

  beforeEach(async () => {
    harness = await Harness.start();
    const inputs = Array.from({ length: 1000 }, (_, n) => ({
      endpoint: `lamp-${String(999 - n).padStart(3, '0')}`,
      labels: { half: n < 500 ? 'second' : 'first' },
    }));
    await harness.engine.provisionAll(inputs);
  });

  afterEach(async () => {
    await harness.close();
  });

  async function listed(...args: Parameters<Harness['engine']['listDevices']>): Promise<[number, string[]]> {
    const { total, devices } = await harness.engine.listDevices(...args);
    return [total, devices.map(({ endpoint }) => endpoint)];
  }

  it('says the same as devices() of all of them, whatever the target', async () => {
    const { engine } = harness;
    const paths = [parsePath('/3')];
    for (const target of [
      { all: true },
      { endpoint: 'lamp-007' },
      { endpoint: 'nobody' },
      { endpoints: ['lamp-2', 'lamp-900', 'lamp-100'] },
      { selector: 'label:half=first' },
      { group: 'none' },
    ] as const) {
      const expected = engine.devices(target, paths);
      assert.deepEqual(await engine.listDevices(target, { paths }), { total: expected.length, devices: expected });
    }
  });

  it('has pages', async () => {
    assert.deepEqual(await listed({ all: true }, { limit: 2 }), [1000, ['lamp-000', 'lamp-001']]);
    assert.deepEqual(await listed({ all: true }, { limit: 2, offset: 998 }), [1000, ['lamp-998', 'lamp-999']]);
    assert.deepEqual(await listed({ all: true }, { offset: 999 }), [1000, ['lamp-999']]);
    assert.deepEqual(await listed({ all: true }, { limit: 0 }), [1000, []]);
    assert.deepEqual(await listed({ selector: 'label:half=second' }, { limit: 1, offset: 1 }), [500, ['lamp-501']]);
    for (const options of [{ limit: -1 }, { offset: 0.5 }, { limit: Number.NaN }, { offset: Infinity }]) {
      await assert.rejects(listed({ all: true }, options), { code: 'INVALID_ARGUMENT' });
    }
    await assert.rejects(listed({ selector: '' }), { code: 'INVALID_ARGUMENT' });
  });

  it('leaves out who is forgotten while it is made, and lets everybody have their turn', async () => {
    const { engine } = harness;
    const listing = engine.listDevices();
    let turns = 0;
    const count = (): void => {
      turns += 1;
      immediate = setImmediate(count);
    };
    let immediate = setImmediate(count);
    await engine.unprovision('lamp-999');
    const { devices } = await listing;
    clearImmediate(immediate);
    assert.equal(devices.length, 999);
    assert.ok(turns >= 4, `${turns} turns`);
  });
});
