import assert from 'node:assert/strict';
import { CoapCode } from '../../src/coap';
import { MemoryStore } from '../../src/store/memory-store';
import { SimulatedClock } from '../support/simulated-clock';
import { Harness } from './harness';

describe('Registration', () => {
  let harness: Harness;

  afterEach(async () => {
    await harness.close();
  });

  it('answers Register with 2.01 and a location of 128 random bits', async () => {
    harness = await Harness.start();
    const device = harness.device();
    const response = await device.register({ endpoint: 'lamp-1', lifetime: 300 });
    assert.equal(response.code, CoapCode.Created);
    const [rd, id = ''] = response.options.locationPath ?? [];
    assert.equal(rd, 'rd');
    assert.equal(Buffer.from(id, 'base64url').length, 16);
    await harness.clock.settle();
    const [event] = harness.eventsOf('registered');
    assert.deepEqual(event, {
      topic: 'registered',
      endpoint: 'lamp-1',
      payload: {
        endpoint: 'lamp-1',
        version: '1.1',
        binding: 'U',
        queueMode: false,
        lifetime: 300,
        lifetimeRequested: 300,
        objects: [
          { id: 1, version: '1.0', instances: [0] },
          { id: 3, version: '1.0', instances: [0] },
          { id: 3311, version: '1.0', instances: [0] },
        ],
        address: { host: '192.0.2.10', port: 40000, transport: 'coap' },
        identity: { mode: 'nosec' },
        labels: {},
        groups: [],
        priority: 'normal',
        owner: undefined,
        registeredAt: harness.clock.now(),
      },
    });
  });

  for (const [version, code] of [
    ['1.0', CoapCode.Created],
    ['1.1', CoapCode.Created],
    ['1.2', CoapCode.Created],
    ['1.0.2', CoapCode.Created],
    ['"1.0",', CoapCode.Created],
    ['1.3', CoapCode.PreconditionFailed],
    ['2.0', CoapCode.PreconditionFailed],
    ['', CoapCode.PreconditionFailed],
    ['1.0x', CoapCode.PreconditionFailed],
  ] as const) {
    it(`answers LwM2M version ${JSON.stringify(version)} with ${code === CoapCode.Created ? '2.01' : '4.12'}`, async () => {
      harness = await Harness.start();
      const response = await harness.device().register({ endpoint: 'lamp-1', version });
      assert.equal(response.code, code);
      await harness.clock.settle();
      const rejected = harness.eventsOf('rejected').map(({ payload }) => payload.reason);
      assert.deepEqual(rejected, code === CoapCode.Created ? [] : ['version']);
    });
  }

  for (const query of [['lt=abc'], ['lt=-1'], ['lt=4294967296'], ['lt='], ['b=XYZ'], ['b=UU']]) {
    it(`answers a Register with ${query[0]} with 4.00 and says why`, async () => {
      harness = await Harness.start();
      const uriQuery = ['ep=lamp-1', 'lwm2m=1.1', ...query];
      const response = await harness.device().request(CoapCode.POST, { uriPath: ['rd'], uriQuery }, '</3/0>');
      assert.equal(response.code, CoapCode.BadRequest);
      assert.match(response.payload.toString(), /^(lt|b) /);
      assert.equal(harness.engine.devices().length, 0);
    });
  }

  it('answers a Register without a name, and without a credential that has one, with 4.00', async () => {
    harness = await Harness.start();
    const device = harness.device();
    for (const uriQuery of [['lwm2m=1.1'], ['ep=', 'lwm2m=1.1'], ['lwm2m=1.0']]) {
      const response = await device.request(CoapCode.POST, { uriPath: ['rd'], uriQuery }, '</3/0>');
      assert.equal(response.code, CoapCode.BadRequest);
    }
  });

  it('answers an object list that is no link-format with 4.00', async () => {
    harness = await Harness.start();
    const response = await harness.device().register({ endpoint: 'lamp-1', links: '<<<' });
    assert.equal(response.code, CoapCode.BadRequest);
    assert.equal(harness.engine.devices().length, 0);
  });

  it('takes defaults for what is not said: 86400 s, U, 1.0', async () => {
    harness = await Harness.start();
    const options = { uriPath: ['rd'], uriQuery: ['ep=lamp-1'] };
    const response = await harness.device().request(CoapCode.POST, options, '</3/0>');
    assert.equal(response.code, CoapCode.Created);
    await harness.clock.settle();
    const { version, lifetime, binding, queueMode } = harness.eventsOf('registered')[0]?.payload ?? {};
    assert.deepEqual([version, lifetime, binding, queueMode], ['1.0', 86_400, 'U', false]);
  });

  for (const [query, binding, queueMode] of [
    [['b=UQ'], 'U', true],
    [['b=UQS'], 'US', true],
    [['b=SQ'], 'S', true],
    [['b=U', 'Q'], 'U', true],
    [['b=UT'], 'UT', false],
    [['b=UMHTSN', 'Q'], 'UMHTSN', true],
  ] as const) {
    it(`reads the binding mode ${query.join(' and ')}`, async () => {
      harness = await Harness.start();
      await harness.registered({ query });
      const { payload } = harness.eventsOf('registered')[0] ?? {};
      assert.deepEqual([payload?.binding, payload?.queueMode], [binding, queueMode]);
    });
  }

  it('changes by an Update only what the Update says', async () => {
    harness = await Harness.start();
    const device = await harness.registered({ query: ['b=UQ', 'sms=123'] });
    assert.equal((await device.update()).code, CoapCode.Changed);
    assert.equal((await device.update(['lt=600'])).code, CoapCode.Changed);
    assert.equal((await device.update([], '</1/0>,</3303/0>')).code, CoapCode.Changed);
    assert.equal((await device.update(['b=U'])).code, CoapCode.Changed);
    await harness.clock.settle();
    const updates = harness.eventsOf('updated').map(({ payload }) => payload);
    assert.deepEqual(
      updates.map(({ lifetime, queueMode, objects }) => [lifetime, queueMode, objects.map(({ id }) => id).join()]),
      [
        [300, true, '1,3,3311'],
        [600, true, '1,3,3311'],
        [600, true, '1,3303'],
        [600, false, '1,3303'],
      ],
    );
  });

  it('refuses an Update that cannot be, and leaves the registration as it is', async () => {
    const clock = new SimulatedClock();
    const store = new MemoryStore(clock);
    harness = await Harness.start({ clock, store });
    const device = await harness.registered();
    const before = JSON.stringify(store.registrations.byEndpoint('lamp-1'));
    assert.equal((await device.update(['lt=x'])).code, CoapCode.BadRequest);
    assert.equal((await device.update([], '<<<')).code, CoapCode.BadRequest);
    assert.equal(JSON.stringify(store.registrations.byEndpoint('lamp-1')), before);
  });

  it('answers Update and De-register of what is not registered with 4.04', async () => {
    harness = await Harness.start();
    const device = harness.device();
    device.location = ['rd', 'AAAAAAAAAAAAAAAAAAAAAA'];
    assert.equal((await device.update()).code, CoapCode.NotFound);
    assert.equal((await device.deregister()).code, CoapCode.NotFound);
    await harness.clock.settle();
    assert.deepEqual(
      harness.eventsOf('rejected').map(({ payload }) => [payload.operation, payload.reason]),
      [
        ['update', 'unknown'],
        ['deregister', 'unknown'],
      ],
    );
  });

  it('answers other methods and other paths with 4.05 and 4.04', async () => {
    harness = await Harness.start();
    const device = await harness.registered();
    const codeOf = async (code: number, uriPath: string[]) => (await device.request(code, { uriPath })).code;
    assert.equal(await codeOf(CoapCode.GET, ['rd']), CoapCode.MethodNotAllowed);
    assert.equal(await codeOf(CoapCode.GET, ['rd', 'x']), CoapCode.MethodNotAllowed);
    assert.equal(await codeOf(CoapCode.GET, ['dp']), CoapCode.MethodNotAllowed);
    assert.equal(await codeOf(CoapCode.POST, ['rd', 'x', 'y']), CoapCode.NotFound);
    assert.equal(await codeOf(CoapCode.POST, ['constructor']), CoapCode.NotFound);
    assert.equal(await codeOf(CoapCode.GET, []), CoapCode.NotFound);
  });

  it('forgets a registration that is over, within 5 s, and answers its next Update with 4.04', async () => {
    harness = await Harness.start();
    const device = await harness.registered({ lifetime: 20 });
    await harness.clock.advance(19_900);
    assert.deepEqual(harness.topics(), ['registered']);
    await harness.clock.advance(5_000);
    assert.deepEqual(harness.topics(), ['registered', 'expired']);
    assert.equal(harness.engine.devices()[0]?.connectivity, 'offline');
    assert.equal((await device.update()).code, CoapCode.NotFound);
  });

  it('keeps a registration that updates in time', async () => {
    harness = await Harness.start();
    const device = await harness.registered({ lifetime: 20 });
    for (let n = 0; n < 10; n += 1) {
      await harness.clock.advance(15_000);
      assert.equal((await device.update()).code, CoapCode.Changed);
    }
    assert.equal(harness.eventsOf('expired').length, 0);
  });

  it('expires a thousand devices at their time without a timer for each', async () => {
    harness = await Harness.start();
    const timers = harness.clock.timers;
    const lifetimes = Array.from({ length: 1000 }, (_, n) => 60 + (n % 60));
    for (let n = 0; n < 1000; n += 1) {
      const device = harness.device(`10.0.${n >> 8}.${n & 255}:5000`);
      await device.register({ endpoint: `lamp-${n}`, lifetime: lifetimes[n] });
    }
    // One of the stack, and one that measures the load while devices register.
    assert.ok(harness.clock.timers - timers <= 2, `${harness.clock.timers} timers`);
    await harness.clock.advance(60_000);
    assert.equal(harness.eventsOf('expired').length, 0);
    for (let second = 0; second < 65; second += 1) {
      await harness.clock.advance(1000);
      const elapsed = 61 + second;
      const over = (seconds: number): number => lifetimes.filter((lifetime) => lifetime <= seconds).length;
      const expired = harness.eventsOf('expired').length;
      assert.ok(expired <= over(elapsed) && expired >= over(elapsed - 4), `${expired} after ${elapsed} s`);
    }
    assert.equal(harness.eventsOf('expired').length, 1000);
  });

  it('clamps lifetimes, keeps what was asked for, and tells a device that asked for too much', async () => {
    harness = await Harness.start({ lifetimeMin: 60, lifetimeMax: 3600 });
    const short = await harness.registered({ endpoint: 'short', lifetime: 10 }, '192.0.2.11:1000');
    const long = await harness.registered({ endpoint: 'long', lifetime: 86_400 }, '192.0.2.12:1000');
    const asked = harness.eventsOf('registered').map(({ payload }) => [payload.lifetime, payload.lifetimeRequested]);
    assert.deepEqual(asked, [
      [60, 10],
      [3600, 86_400],
    ]);
    const write = await long.expectRequest();
    assert.equal(write.message.code, CoapCode.PUT);
    assert.deepEqual(write.message.options.uriPath, ['1', '0', '1']);
    assert.equal(write.message.payload.toString(), '3600');
    write.reply(CoapCode.Changed);
    await harness.clock.settle();
    assert.equal((await long.update(['lt=3600'])).code, CoapCode.Changed);
    await harness.clock.advance(5_000);
    assert.deepEqual([short.inbox.length, long.inbox.length], [0, 0]);
  });

  it('takes a lifetime of 0 for ever, or for the maximum', async () => {
    harness = await Harness.start({ lifetimeMax: 3600 });
    const device = await harness.registered({ lifetime: 0 });
    assert.equal(harness.eventsOf('registered')[0]?.payload.lifetime, 3600);
    assert.equal((await device.expectRequest()).message.payload.toString(), '3600');
  });

  it('replaces the registration when the device registers again, at another address too', async () => {
    harness = await Harness.start();
    const first = await harness.registered();
    const oldLocation = first.location;
    const second = await harness.registered({ links: '</3303/0>' }, '192.0.2.99:41000');
    assert.notDeepEqual(second.location, oldLocation);
    assert.equal((await first.update()).code, CoapCode.NotFound);
    assert.equal((await second.update()).code, CoapCode.Changed);
    const devices = harness.engine.devices();
    assert.deepEqual(
      devices.map(({ endpoint, address }) => [endpoint, address?.host]),
      [['lamp-1', '192.0.2.99']],
    );
    assert.deepEqual(harness.topics().slice(0, 2), ['registered', 'registered']);
  });

  it('puts off newcomers when there are too many, and nobody else', async () => {
    harness = await Harness.start({ maxRegistrations: 2 });
    const first = await harness.registered({ endpoint: 'a' }, '192.0.2.11:1');
    await harness.registered({ endpoint: 'b' }, '192.0.2.12:1');
    const refused = await harness.device('192.0.2.13:1').register({ endpoint: 'c' });
    assert.deepEqual([refused.code, refused.options.maxAge], [CoapCode.ServiceUnavailable, 60]);
    assert.equal((await first.register({ endpoint: 'a' })).code, CoapCode.Created);
    await harness.clock.settle();
    assert.deepEqual(
      harness.eventsOf('rejected').map(({ payload }) => payload.reason),
      ['overload'],
    );
    assert.equal((await first.deregister()).code, CoapCode.Deleted);
    assert.equal((await harness.device('192.0.2.14:1').register({ endpoint: 'c' })).code, CoapCode.Created);
  });

  it('survives a storm of devices that register again and again over a bad network', async () => {
    const clock = new SimulatedClock();
    const store = new MemoryStore(clock);
    harness = await Harness.start({
      clock,
      store,
      network: { seed: 7, loss: 0.1, duplicate: 0.1, reorder: 0.2, reorderDelay: 50, delay: 5 },
    });
    const devices = Array.from({ length: 30 }, (_, n) => harness.device(`10.1.0.${n}:7000`));
    // A scripted device retransmits nothing; it registers anew every second until it was answered three times.
    const answered = devices.map(() => 0);
    for (let round = 0; round < 12; round += 1) {
      devices.forEach((device, n) => {
        void device.register({ endpoint: `lamp-${n}` }).then((response) => {
          if (response.code === CoapCode.Created) answered[n] = (answered[n] ?? 0) + 1;
        });
      });
      await clock.advance(1000);
    }
    assert.ok(
      answered.every((count) => count >= 3),
      answered.join(),
    );
    assert.equal(store.registrations.count(), 30);
    assert.equal(harness.engine.devices({ selector: 'state:online' }).length, 30);
    // The registration of each is one that was answered or lost on its way, and there is only one.
    const ids = new Set([...store.registrations.all()].map(({ id }) => id));
    assert.equal(ids.size, 30);
  });
});
