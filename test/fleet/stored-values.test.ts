import assert from 'node:assert/strict';
import { parsePath, StoreError } from '../../src';
import { DeviceValues } from '../../src/fleet/device-values';
import { Harness } from '../server/harness';
import { MemoryStore } from '../../src/store/memory-store';
import { SimulatedClock } from '../support/simulated-clock';

const SEND = { uriPath: ['dp'], contentFormat: 110 };

describe('What is known of the values of devices', () => {
  let clock: SimulatedClock;
  let store: MemoryStore;
  let harness: Harness;
  /** The endpoints written, in order. */
  let written: string[];

  beforeEach(async () => {
    clock = new SimulatedClock();
    store = new MemoryStore(clock);
    written = [];
    const put = store.values.put.bind(store.values);
    store.values.put = (endpoint, values) => {
      written.push(endpoint);
      put(endpoint, values);
    };
    harness = await Harness.start({ clock, store });
  });

  afterEach(async () => {
    await harness.close();
  });

  async function restart(): Promise<void> {
    await harness.close();
    harness = await Harness.start({ clock, store });
  }

  /** A device that is registered and sends its dimmer. */
  async function lamp(endpoint: string, dimmer: number, address?: string) {
    const device = await harness.registered({ endpoint }, address);
    await send(device, dimmer);
    return device;
  }

  async function send(device: Awaited<ReturnType<Harness['registered']>>, dimmer: number): Promise<void> {
    await harness.settled(device.request(2, SEND, JSON.stringify([{ n: '/3311/0/5851', v: dimmer }])));
  }

  const dimmerOf = (endpoint: string): unknown =>
    harness.engine.devices({ endpoint })[0]?.values['/3311/0/5851']?.reported?.value;

  const stored = (): string[] => [...store.values.all()].map(([endpoint]) => endpoint).sort();

  it('is there after a restart: of devices that are registered, that have a record, and of others', async () => {
    await harness.engine.provision({ endpoint: 'lamp-2' });
    await lamp('lamp-1', 10, '192.0.2.11:1');
    const gone = [await lamp('lamp-2', 20, '192.0.2.12:1'), await lamp('lamp-3', 30, '192.0.2.13:1')];
    for (const device of gone) await harness.settled(device.deregister());
    await restart();
    assert.deepEqual(['lamp-1', 'lamp-2', 'lamp-3'].map(dimmerOf), [10, 20, 30]);
    assert.deepEqual(
      harness.engine.devices().map(({ endpoint, connectivity }) => [endpoint, connectivity]),
      [
        ['lamp-1', 'online'],
        ['lamp-2', 'offline'],
        ['lamp-3', 'offline'],
      ],
    );
  });

  it('says of a device that was not heard since that it was seen when it registered', async () => {
    const at = clock.now();
    await lamp('lamp-1', 10);
    await clock.advance(5000);
    await restart();
    assert.equal(harness.engine.devices()[0]?.lastSeen, at);
  });

  it('keeps who commanded what and when', async () => {
    const device = await harness.registered();
    const operation = {
      operation: 'write' as const,
      path: parsePath('/3311/0/5851'),
      value: 70,
      mode: 'replace' as const,
    };
    const done = harness.engine.perform('lamp-1', operation, { user: 'ann' });
    (await device.expectRequest()).reply(0x44);
    await done;
    const at = clock.now();
    await clock.advance(5000);
    await restart();
    assert.deepEqual(harness.engine.devices()[0]?.values['/3311/0/5851']?.commanded, { value: 70, at, by: 'ann' });
  });

  it('is written a second later, once however much has changed', async () => {
    const device = await lamp('lamp-1', 1);
    for (let dimmer = 2; dimmer < 50; dimmer += 1) await send(device, dimmer);
    assert.deepEqual(written, []);
    await clock.advance(1000);
    assert.deepEqual(written, ['lamp-1']);
    await clock.advance(10_000);
    assert.deepEqual(written, ['lamp-1']);
    await send(device, 50);
    await clock.advance(1000);
    assert.deepEqual(written, ['lamp-1', 'lamp-1']);
  });

  it('is written of a bounded number of devices at a time, those longest unwritten first', async () => {
    for (let n = 0; n < 1200; n += 1) await lamp(`lamp-${n}`, n % 100, `10.4.${n >> 8}.${n & 255}:7`);
    await clock.advance(1000);
    assert.deepEqual([written.length, written[0]], [1000, 'lamp-0']);
    await clock.advance(1000);
    assert.deepEqual([written.length, written[1000], written.at(-1)], [1200, 'lamp-1000', 'lamp-1199']);
  });

  it('is written when the engine closes', async () => {
    await lamp('lamp-1', 10);
    await harness.close();
    assert.deepEqual(written, ['lamp-1']);
    assert.equal(clock.timers, 0);
  });

  it('is written at once when the process may end, whatever the store refuses', async () => {
    const device = await lamp('lamp-1', 10);
    await harness.engine.flush();
    assert.deepEqual(written, ['lamp-1']);
    await clock.advance(5000);
    assert.deepEqual(written, ['lamp-1']);
    const put = store.values.put.bind(store.values);
    store.values.put = () => {
      throw new StoreError('the disk is full');
    };
    await send(device, 11);
    await harness.engine.flush();
    store.values.put = put;
    await clock.advance(1000);
    assert.deepEqual(written, ['lamp-1', 'lamp-1']);
  });

  it('is tried again when the store refused it, and that is said once a minute', async () => {
    const put = store.values.put.bind(store.values);
    store.values.put = () => {
      throw new StoreError('the disk is full');
    };
    const device = await lamp('lamp-1', 10);
    await lamp('lamp-2', 20, '192.0.2.12:1');
    await clock.advance(5000);
    const lines = harness.logged.filter((line) => line.includes('the disk is full'));
    assert.equal(lines.length, 1, lines.join('\n'));
    await send(device, 11);
    store.values.put = put;
    await clock.advance(1000);
    assert.deepEqual(
      [written.sort(), stored()],
      [
        ['lamp-1', 'lamp-2'],
        ['lamp-1', 'lamp-2'],
      ],
    );
    await restart();
    assert.deepEqual(['lamp-1', 'lamp-2'].map(dimmerOf), [11, 20]);
  });

  it('is dropped with the record of a device', async () => {
    await harness.engine.provision({ endpoint: 'lamp-1' });
    const device = await lamp('lamp-1', 10);
    await clock.advance(1000);
    assert.deepEqual(stored(), ['lamp-1']);
    await harness.settled(device.deregister());
    await harness.engine.unprovision('lamp-1');
    await clock.advance(1000);
    assert.deepEqual(stored(), []);
  });

  it('comes back as it was, whatever its type', () => {
    const values = new DeviceValues();
    const at = 1000;
    const of = (path: string, value: unknown) => ({ path: parsePath(path), value: value as never });
    const all = [
      of('/1/0/0', 12n ** 20n),
      of('/1/0/1', Buffer.from('ab')),
      of('/1/0/2', new Date(5)),
      of('/1/0/3', null),
      of('/1/0/4/7', 'seven'),
      of('/1/0/4/8', Buffer.from('eight')),
    ];
    values.reported(all, at);
    store.values.put('x', values.toStore());
    const before = values.view();
    values.reported([of('/1/0/4/7', 'changed')], at + 1);
    const [[, read] = ['', { values: [] }]] = [...store.values.all()];
    const restored = new DeviceValues();
    restored.restore(read);
    assert.deepEqual(restored.view(), before);
    assert.deepEqual(before['/1/0/4']?.reported?.value, { 7: 'seven', 8: Buffer.from('eight') });
  });

  it('that is newer than what was stored stays', () => {
    const stale = new DeviceValues();
    stale.reported([{ path: parsePath('/1/0/0'), value: 'old' }], 1);
    stale.commanded([{ path: parsePath('/1/0/1'), value: 'old' }], 1, undefined);
    const values = new DeviceValues();
    values.reported([{ path: parsePath('/1/0/0'), value: 'new' }], 2);
    values.restore(stale.toStore());
    assert.deepEqual(values.view(), {
      '/1/0/0': { reported: { value: 'new', at: 2 } },
      '/1/0/1': { commanded: { value: 'old', at: 1 } },
    });
  });
});
