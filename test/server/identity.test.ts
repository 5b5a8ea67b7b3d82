import assert from 'node:assert/strict';
import { CoapCode } from '../../src/coap';
import { MemoryStore } from '../../src/store/memory-store';
import { SimulatedClock } from '../support/simulated-clock';
import { Harness } from './harness';

describe('Who may act for a registration', () => {
  let harness: Harness;
  let clock: SimulatedClock;
  let store: MemoryStore;

  beforeEach(() => {
    clock = new SimulatedClock();
    store = new MemoryStore(clock);
  });

  afterEach(async () => {
    await harness.close();
  });

  const state = (): string =>
    JSON.stringify([[...store.registrations.all()], store.observations.of('lamp-1'), harness.engine.devices()]);

  for (const [operation, act] of [
    ['Update', (device: ReturnType<Harness['device']>) => device.update(['lt=5'], '</3303/0>')],
    ['De-register', (device: ReturnType<Harness['device']>) => device.deregister()],
  ] as const) {
    it(`answers ${operation} from another address with 4.01 and an Echo, and changes nothing`, async () => {
      harness = await Harness.start({ clock, store });
      const device = await harness.registered();
      const thief = harness.device('203.0.113.5:666');
      thief.location = device.location;
      const before = state();
      const response = await act(thief);
      assert.equal(response.code, CoapCode.Unauthorized);
      assert.ok(response.options.echo !== undefined && response.options.echo.length <= 40);
      await clock.settle();
      assert.equal(state(), before);
      assert.deepEqual(harness.topics(), ['registered']);
    });
  }

  it('believes a device at a new address when the Echo comes back from there', async () => {
    harness = await Harness.start({ clock, store });
    const device = await harness.registered();
    const moved = harness.device('192.0.2.10:50505');
    moved.location = device.location;
    const uriPath = [...(device.location ?? [])];
    const { options } = await moved.update();
    const response = await moved.request(CoapCode.POST, { uriPath, echo: options.echo });
    assert.equal(response.code, CoapCode.Changed);
    await clock.settle();
    assert.equal(harness.eventsOf('updated')[0]?.payload.address.port, 50505);
    const reading = harness.perform(
      moved,
      { operation: 'read', paths: [{ objectId: 3, objectInstanceId: 0, resourceId: 0 }] },
      { code: CoapCode.Content, options: { contentFormat: 0 }, payload: 'Open' },
    );
    assert.equal((await reading).result.payload, 'Open');
    assert.equal((await device.update()).code, CoapCode.Unauthorized);
  });

  it('does not believe an Echo of another address, of another server, or of yesterday', async () => {
    harness = await Harness.start({ clock, store });
    const device = await harness.registered();
    const uriPath = [...(device.location ?? [])];
    const one = harness.device('203.0.113.5:666');
    const other = harness.device('203.0.113.6:666');
    const { echo } = (await one.request(CoapCode.POST, { uriPath })).options;
    const codeOf = async (peer: typeof one, value: Buffer | undefined) =>
      (await peer.request(CoapCode.POST, { uriPath, echo: value })).code;
    assert.equal(await codeOf(other, echo), CoapCode.Unauthorized);
    assert.equal(await codeOf(one, Buffer.alloc(16, 1)), CoapCode.Unauthorized);
    assert.equal(await codeOf(one, Buffer.alloc(1)), CoapCode.Unauthorized);
    await clock.advance(120_000);
    assert.equal(await codeOf(one, echo), CoapCode.Unauthorized);
    assert.equal(harness.eventsOf('updated').length, 0);
  });

  it('lets observations follow a device that moved', async () => {
    harness = await Harness.start({ clock, store });
    const device = await harness.registered();
    const values: unknown[] = [];
    await harness.engine.observePolicy(
      'p',
      { target: { all: true }, paths: [{ objectId: 3311, objectInstanceId: 0, resourceId: 5851 }] },
      { value: ({ payload }) => values.push(payload), failed: ({ error }) => assert.fail(error) },
    );
    const observe = await device.expectRequest();
    observe.reply(CoapCode.Content, { observe: 1, contentFormat: 0 }, '10');
    await clock.settle();
    const moved = harness.device('192.0.2.10:50505');
    const uriPath = [...(device.location ?? [])];
    const { echo } = (await moved.request(CoapCode.POST, { uriPath })).options;
    await moved.request(CoapCode.POST, { uriPath, echo });
    moved.notify(observe.message.token, 2, '20', { contentFormat: 0 });
    await clock.settle();
    assert.deepEqual(values, [10, 20]);
  });

  for (const [policy, address, code] of [
    ['none', '127.0.0.1:5000', CoapCode.Forbidden],
    ['loopback', '127.0.0.1:5000', CoapCode.Created],
    ['loopback', '[::1]:5000', CoapCode.Created],
    ['loopback', '192.0.2.7:5000', CoapCode.Forbidden],
    ['provisioned', '127.0.0.1:5000', CoapCode.Forbidden],
    ['any', '192.0.2.7:5000', CoapCode.Created],
  ] as const) {
    it(`with noSec ${policy} ${code === CoapCode.Created ? 'admits' : 'refuses'} ${address}`, async () => {
      harness = await Harness.start({ clock, store, noSec: policy });
      const response = await harness.device(address).register({ endpoint: 'lamp-1' });
      assert.equal(response.code, code);
      await clock.settle();
      const rejected = harness.eventsOf('rejected').map(({ endpoint, payload }) => [endpoint, payload]);
      if (code === CoapCode.Created) assert.deepEqual(rejected, []);
      else {
        assert.deepEqual(
          rejected.map(([endpoint]) => endpoint),
          ['lamp-1'],
        );
        const [host = '', port = ''] = address.split(/:(?=\d+$)/);
        assert.deepEqual(rejected[0]?.[1], {
          endpoint: 'lamp-1',
          address: { host, port: Number(port), transport: 'coap' },
          identity: { mode: 'nosec' },
          operation: 'register',
          reason: 'noSec',
        });
        assert.equal(store.registrations.count(), 0);
      }
    });
  }

  it('says rejections, but not as often as a flood would have it', async () => {
    harness = await Harness.start({ clock, store, noSec: 'none' });
    for (let n = 0; n < 500; n += 1) await harness.device(`198.51.100.1:${1000 + n}`).register({ endpoint: `e${n}` });
    for (let n = 0; n < 500; n += 1)
      await harness.device(`10.9.${n >> 8}.${n & 255}:9`).register({ endpoint: `e${n}` });
    await clock.settle();
    const rejected = harness.eventsOf('rejected').length;
    assert.ok(rejected >= 100 && rejected <= 250, String(rejected));
    await clock.advance(60_000);
    await harness.device('198.51.100.1:9').register({ endpoint: 'late' });
    await clock.settle();
    assert.equal(harness.events.at(-1)?.endpoint, 'late');
  });

  it('answers an unverified address with little, whatever it asks', async () => {
    harness = await Harness.start({ clock, store });
    const device = await harness.registered();
    const requests: [number, string[], string[]][] = [
      [CoapCode.POST, ['rd'], ['ep=x', 'lt=y']],
      [CoapCode.POST, ['rd'], ['ep=x', 'lwm2m=9']],
      [CoapCode.POST, [...(device.location ?? [])], []],
      [CoapCode.DELETE, [...(device.location ?? [])], []],
      [CoapCode.POST, ['rd', 'nobody'], []],
      [CoapCode.POST, ['dp'], []],
      [CoapCode.GET, ['.well-known', 'core'], []],
    ];
    const scripted = harness.device('203.0.113.8:1');
    for (const [code, uriPath, uriQuery] of requests) {
      const { payload, options } = await scripted.request(code, { uriPath, uriQuery });
      assert.ok(payload.length + (options.echo?.length ?? 0) < 110);
    }
  });
});
