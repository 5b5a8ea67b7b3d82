import assert from 'node:assert/strict';
import { parsePath, type ObservationPolicy } from '../../src';
import { CoapCode } from '../../src/coap';
import { MessageType } from '../../src/coap';
import { Harness, pathOfRequest } from '../server/harness';
import type { ScriptedDevice } from '../support/scripted-device';
import { Heard } from './heard';

const DIMMER = parsePath('/3311/0/5851');
const ON_OFF = parsePath('/3311/0/5850');

describe('An observation policy', () => {
  let harness: Harness;
  let heard: Heard;

  beforeEach(async () => {
    harness = await Harness.start();
    heard = new Heard();
  });

  afterEach(async () => {
    await harness.close();
  });

  const declare = (policy: Partial<ObservationPolicy> = {}, id = 'p', listener = heard) =>
    harness.engine.observePolicy(id, { target: { selector: 'ep=lamp-*' }, paths: [DIMMER], ...policy }, listener);

  /** Accepts the observation that the server asks for next. @returns its token */
  async function accept(device: ScriptedDevice, payload: string, observe = 1): Promise<Buffer> {
    const request = await device.expectRequest();
    assert.equal(request.message.options.observe, 0);
    request.reply(CoapCode.Content, { observe, contentFormat: 0 }, payload);
    await harness.clock.settle();
    return request.message.token;
  }

  async function notify(device: ScriptedDevice, token: Buffer, observe: number, payload: string): Promise<void> {
    device.notify(token, observe, payload, { contentFormat: 0 });
    await harness.clock.settle();
  }

  it('holds for a device that is there, the answer being the first value', async () => {
    const device = await harness.registered();
    const handle = await declare();
    const token = await accept(device, '10');
    await notify(device, token, 2, '20');
    assert.deepEqual(heard.values, [
      {
        operation: 'observe',
        endpoint: 'lamp-1',
        path: '/3311/0/5851',
        payload: 10,
        code: '2.05',
        contentFormat: 'text',
        timestamp: harness.clock.now(),
        queuedFor: 0,
        first: true,
      },
      {
        operation: 'observe',
        endpoint: 'lamp-1',
        path: '/3311/0/5851',
        payload: 20,
        code: '2.05',
        contentFormat: 'text',
        timestamp: harness.clock.now(),
        queuedFor: 0,
      },
    ]);
    assert.deepEqual(handle.status(), { devices: 1, observing: 1, waiting: 0, failed: 0 });
    assert.equal(harness.engine.devices()[0]?.values['/3311/0/5851']?.reported?.value, 20);
  });

  it('holds for devices that come later, and only for those that match and have the path', async () => {
    await declare();
    const lamp = await harness.registered({ endpoint: 'lamp-9' }, '192.0.2.20:1');
    const other = await harness.registered({ endpoint: 'fan-1' }, '192.0.2.21:1');
    const bare = await harness.registered({ endpoint: 'lamp-8', links: '</3/0>' }, '192.0.2.22:1');
    await accept(lamp, '1');
    await harness.clock.advance(1000);
    assert.deepEqual([other.inbox.length, bare.inbox.length], [0, 0]);
    await bare.update([], '</3/0>,</3311/0>');
    await accept(bare, '2');
    assert.deepEqual(
      heard.values.map(({ endpoint }) => endpoint),
      ['lamp-9', 'lamp-8'],
    );
  });

  it('is asked for only when the Register has been answered', async () => {
    await declare();
    const order: string[] = [];
    const device = harness.device();
    const inner = device.peer.onDatagram;
    device.peer.onDatagram = (datagram, from) => {
      order.push((datagram[1] ?? 0) === CoapCode.Created ? 'created' : 'observe');
      inner?.(datagram, from);
    };
    await device.register({ endpoint: 'lamp-1' });
    await harness.clock.settle();
    assert.deepEqual(order, ['created', 'observe']);
  });

  it('is asked for again when the device registers again, and the old notifications are refused', async () => {
    const device = await harness.registered();
    await declare();
    const old = await accept(device, '10');
    await device.register({ endpoint: 'lamp-1' });
    const fresh = await accept(device, '11');
    assert.notDeepEqual(fresh, old);
    const messageId = device.notify(old, 9, '99', { contentFormat: 0 });
    const answer = await device.expect((message) => message.messageId === messageId);
    assert.equal(answer.type, MessageType.RST);
    assert.deepEqual(heard.payloads(), [10, 11]);
  });

  it('declared again with the same words touches nothing on the wire, and delivers what came meanwhile', async () => {
    const device = await harness.registered();
    const handle = await declare();
    const token = await accept(device, '10');
    handle.detach();
    await notify(device, token, 2, '20');
    await notify(device, token, 3, '30');
    const later = new Heard();
    await declare({}, 'p', later);
    await harness.clock.settle();
    await notify(device, token, 4, '40');
    handle.detach();
    await notify(device, token, 5, '50');
    assert.deepEqual([heard.payloads(), later.payloads()], [[10], [20, 30, 40, 50]]);
    assert.equal(device.inbox.filter(({ code }) => code !== CoapCode.Empty).length, 0);
  });

  it('declared anew with other words replaces the old one', async () => {
    const device = await harness.registered();
    await declare();
    await accept(device, '10');
    await declare({ paths: [ON_OFF] });
    const cancel = await device.expectRequest();
    assert.deepEqual([cancel.message.options.observe, pathOfRequest(cancel.message)], [1, '/3311/0/5851']);
    cancel.reply(CoapCode.Content, { contentFormat: 0 }, '10');
    await accept(device, '1');
    assert.deepEqual(heard.payloads(), [10, true]);
  });

  it('cancelled tells the device by GET with Observe=1, with the same token', async () => {
    const device = await harness.registered();
    const handle = await declare();
    const token = await accept(device, '10');
    const cancelled = handle.cancel();
    const request = await device.expectRequest();
    assert.deepEqual([request.message.options.observe, request.message.token], [1, token]);
    request.reply(CoapCode.Content, { contentFormat: 0 }, '10');
    await cancelled;
    const messageId = device.notify(token, 7, '70', { contentFormat: 0 });
    assert.equal((await device.expect((message) => message.messageId === messageId)).type, MessageType.RST);
    await handle.cancel();
    assert.deepEqual(heard.payloads(), [10]);
  });

  it('shares one observation with another, whose first value is a fresh one', async () => {
    const device = await harness.registered();
    const first = await declare();
    const token = await accept(device, '10');
    const other = new Heard();
    const second = await declare({ keys: 'name' }, 'q', other);
    const read = await device.expectRequest();
    assert.equal(read.message.options.observe, undefined);
    read.reply(CoapCode.Content, { contentFormat: 0 }, '15');
    await harness.clock.settle();
    await notify(device, token, 2, '20');
    assert.deepEqual(
      [heard.payloads(), other.payloads()],
      [
        [10, 20],
        [15, 20],
      ],
    );
    assert.equal(other.values[0]?.first, true);
    await first.cancel();
    await notify(device, token, 3, '30');
    assert.deepEqual(
      [heard.payloads(), other.payloads()],
      [
        [10, 20],
        [15, 20, 30],
      ],
    );
    const ending = second.cancel();
    (await device.expectRequest()).reply(CoapCode.Content, { contentFormat: 0 }, '30');
    await ending;
  });

  it('that a device refuses or ends is said once, and tried again at its next update', async () => {
    const device = await harness.registered();
    const handle = await declare();
    (await device.expectRequest()).reply(CoapCode.NotFound);
    await harness.clock.advance(5000);
    assert.deepEqual(
      heard.failures.map(({ endpoint, path, error }) => [endpoint, path, error.code]),
      [['lamp-1', '/3311/0/5851', 'RESPONSE']],
    );
    assert.deepEqual(handle.status(), { devices: 1, observing: 0, waiting: 0, failed: 1 });
    await device.update();
    const token = await accept(device, '10');
    device.send({ code: CoapCode.NotFound, token });
    await harness.clock.advance(5000);
    assert.equal(heard.failures.length, 2);
    await device.update();
    await accept(device, '12');
    assert.deepEqual(heard.payloads(), [10, 12]);
  });

  it('delivers the value of a device that answers but does not observe, and says so', async () => {
    const device = await harness.registered();
    await declare();
    const request = await device.expectRequest();
    request.reply(CoapCode.Content, { contentFormat: 0 }, '10');
    await harness.clock.settle();
    assert.deepEqual(heard.payloads(), [10]);
    assert.match(heard.failures[0]?.error.message ?? '', /does not observe/);
    assert.equal(heard.failures.length, 1);
  });

  it('delivers a batch of timed values as one message a time, in their order', async () => {
    const device = await harness.registered();
    await declare();
    const token = await accept(device, '10');
    await harness.clock.advance(60_000);
    const time = harness.clock.now() / 1000;
    const records = [-30, -10, -20].map((seconds) => ({ n: '/3311/0/5851', v: 50 - seconds, t: time + seconds }));
    device.notify(token, 2, JSON.stringify(records), { contentFormat: 110 });
    await harness.clock.settle();
    assert.deepEqual(
      heard.values.slice(1).map(({ payload, timestamp }) => [payload, timestamp - harness.clock.now()]),
      [
        [80, -30_000],
        [70, -20_000],
        [60, -10_000],
      ],
    );
    assert.deepEqual(harness.engine.devices()[0]?.values['/3311/0/5851']?.reported, {
      value: 60,
      at: harness.clock.now() - 10_000,
    });
  });

  it('says a notification that cannot be read, once, and goes on', async () => {
    const device = await harness.registered();
    await declare();
    const token = await accept(device, '10');
    device.notify(token, 2, '{', { contentFormat: 110 });
    device.notify(token, 3, '{', { contentFormat: 110 });
    await harness.clock.settle();
    await notify(device, token, 4, '40');
    assert.deepEqual([heard.failures.map(({ error }) => error.code), heard.payloads()], [['CODEC'], [10, 40]]);
  });

  it('writes its attributes before it observes a 1.1 device', async () => {
    const device = await harness.registered();
    await declare({ attributes: { pmin: 5, pmax: 60 } });
    const attributes = await device.expectRequest();
    assert.deepEqual(
      [attributes.message.code, attributes.message.options.uriQuery],
      [CoapCode.PUT, ['pmin=5', 'pmax=60']],
    );
    attributes.reply(CoapCode.Changed);
    await accept(device, '10');
  });

  it('carries its attributes in the request to a 1.2 device, and writes them where that is not known', async () => {
    const device = await harness.registered({ version: '1.2' });
    await declare({ attributes: { pmin: 5 } });
    const observe = await device.expectRequest();
    assert.deepEqual([observe.message.options.observe, observe.message.options.uriQuery], [0, ['pmin=5']]);
    observe.reply(CoapCode.BadRequest);
    const write = await device.expectRequest();
    assert.equal(write.message.code, CoapCode.PUT);
    write.reply(CoapCode.Changed);
    await accept(device, '10');
    assert.equal(heard.failures.length, 0);
  });

  it('says that attributes were refused, and observes all the same', async () => {
    const device = await harness.registered();
    await declare({ attributes: { pmin: 5 } });
    (await device.expectRequest()).reply(CoapCode.BadRequest);
    await accept(device, '10');
    assert.deepEqual([heard.failures.length, heard.payloads()], [1, [10]]);
  });

  it('of several paths is a composite observation, cancelled with the same list', async () => {
    const device = await harness.registered({ links: '</>;ct=110,</3311/0>' });
    const handle = await declare({ paths: [ON_OFF, DIMMER] });
    const request = await device.expectRequest();
    assert.deepEqual([request.message.code, request.message.options.observe], [CoapCode.FETCH, 0]);
    const payload = '[{"n":"/3311/0/5850","vb":true},{"n":"/3311/0/5851","v":40}]';
    request.reply(CoapCode.Content, { observe: 1, contentFormat: 110 }, payload);
    await harness.clock.settle();
    assert.deepEqual(heard.payloads(), [{ '/3311/0/5850': true, '/3311/0/5851': 40 }]);
    assert.equal(heard.values[0]?.path, '/3311/0/5850,/3311/0/5851');
    const cancelled = handle.cancel();
    const end = await device.expectRequest();
    assert.deepEqual([end.message.code, end.message.options.observe], [CoapCode.FETCH, 1]);
    assert.deepEqual(end.message.payload, request.message.payload);
    end.reply(CoapCode.Content, { contentFormat: 110 }, payload);
    await cancelled;
  });

  for (const [version, refuses] of [
    ['1.0', false],
    ['1.1', true],
  ] as const) {
    it(`of several paths is one observation a path on a ${version} device${refuses ? ' that answers 4.05' : ''}`, async () => {
      const device = await harness.registered({ version });
      await declare({ paths: [ON_OFF, DIMMER] });
      if (refuses) (await device.expectRequest()).reply(CoapCode.MethodNotAllowed);
      await accept(device, '1');
      await accept(device, '40');
      assert.deepEqual(
        heard.values.map(({ path, payload }) => [path, payload]),
        [
          ['/3311/0/5850', true],
          ['/3311/0/5851', 40],
        ],
      );
    });
  }

  /** Lamps that are registered, as many as there are priorities; the first comes first. */
  async function storm(count: number): Promise<ScriptedDevice[]> {
    const devices: ScriptedDevice[] = [];
    for (let n = 0; n < count; n += 1) {
      const device = harness.device(`10.3.${n >> 8}.${n & 255}:7`);
      devices.push(device);
      await device.register({ endpoint: `lamp-${n}` });
    }
    for (let turns = 0; turns < 5; turns += 1) await harness.clock.settle();
    return devices;
  }

  const asked = (devices: ScriptedDevice[]): number => devices.filter(({ inbox }) => inbox.length > 0).length;

  it('answers a storm of registrations with a bounded number of requests at a time', async () => {
    await declare();
    const devices = await storm(300);
    await harness.clock.advance(1500);
    assert.equal(asked(devices), 64);
    const answers = Promise.all(devices.map((device) => accept(device, '5')));
    await harness.clock.advance(3000);
    await answers;
    assert.equal(heard.values.length, 300);
  });

  it('begins a bounded number of observations in a second, however fast the answers are', async () => {
    const devices = await storm(500);
    const handle = await declare();
    const answers = Promise.all(devices.map((device) => accept(device, '5')));
    await harness.clock.advance(950);
    assert.deepEqual(handle.status(), { devices: 500, observing: 200, waiting: 300, failed: 0 });
    await harness.clock.advance(1000);
    assert.equal(handle.status().observing, 400);
    await harness.clock.advance(1000);
    await answers;
    assert.equal(handle.status().observing, 500);
  });

  it('goes on past devices that do not answer', async () => {
    const devices = await storm(100);
    const handle = await declare();
    const last = accept(devices[99] as ScriptedDevice, '5');
    await harness.clock.advance(9_000);
    assert.equal(handle.status().observing, 0);
    await harness.clock.advance(3_000);
    await last;
    assert.equal(handle.status().observing, 1);
  });

  it('asks devices of high priority first, and lets policies take turns', async () => {
    for (let n = 0; n < 100; n += 1) {
      const priority = n === 99 ? 'high' : n === 0 ? 'low' : 'normal';
      await harness.engine.provision({ endpoint: `lamp-${n}`, priority });
    }
    const devices = await storm(100);
    const order: string[] = [];
    devices.forEach((device, n) => {
      const inner = device.peer.onDatagram;
      device.peer.onDatagram = (datagram, from) => {
        inner?.(datagram, from);
        const request = device.inbox.shift();
        if (request === undefined || request.code !== CoapCode.GET) return;
        order.push(`lamp-${n} ${pathOfRequest(request)}`);
        const { messageId, token } = request;
        device.send({ type: MessageType.ACK, messageId, token, code: CoapCode.Content, options: { observe: 1 } });
      };
    });
    // The first twenty are taken at once, before there is anything to choose from.
    await declare({ target: { selector: 'ep=lamp-1?' } }, 'first');
    await harness.clock.settle();
    order.length = 0;
    await declare({ target: { selector: 'ep=lamp-*' } }, 'p');
    await declare({ target: { selector: 'ep=lamp-*' }, paths: [ON_OFF] }, 'q');
    await harness.clock.advance(10_000);
    const begun = order.slice(0, 40);
    const ofFirst = order.findIndex((text) => text.startsWith('lamp-99 '));
    assert.ok(ofFirst >= 0 && ofFirst < 21, `high priority came as number ${ofFirst}`);
    const turns = begun.filter((text) => text.endsWith('/5850')).length;
    assert.ok(turns > 8 && turns < 32, `${turns} of 40 are of the second policy`);
    assert.ok(order.slice(-3).some((text) => text.startsWith('lamp-0 ')));
  });

  it('skips a device that left before its turn', async () => {
    const devices = await storm(30);
    const handle = await declare();
    await harness.clock.settle();
    const gone = devices.filter(({ inbox }) => inbox.length === 0)[0] as ScriptedDevice;
    await harness.settled(gone.deregister());
    const answers = Promise.all(devices.filter((device) => device !== gone).map((device) => accept(device, '5')));
    await harness.clock.advance(1000);
    await answers;
    assert.deepEqual(handle.status(), { devices: 29, observing: 29, waiting: 0, failed: 0 });
    assert.equal(gone.inbox.length, 0);
  });

  it('tries again by itself what may pass, with growing patience, and says it once', async () => {
    const device = await harness.registered({ lifetime: 86_400 });
    const handle = await declare();
    const refuse = async (): Promise<void> => {
      (await device.expectRequest()).reply(CoapCode.ServiceUnavailable);
      await harness.clock.settle();
    };
    await refuse();
    for (const seconds of [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]) {
      await harness.clock.advance(seconds * 1000 - 1);
      assert.equal(device.inbox.length, 0, `before ${seconds} s`);
      await harness.clock.advance(1001);
      await refuse();
    }
    assert.deepEqual([heard.failures.length, handle.status().failed], [1, 1]);
    await harness.clock.advance(3601_000);
    await accept(device, '10');
    assert.deepEqual(handle.status(), { devices: 1, observing: 1, waiting: 0, failed: 0 });
    assert.deepEqual(heard.payloads(), [10]);
  });

  it('tries a device that did not answer again while it is registered', async () => {
    const device = await harness.registered({ lifetime: 86_400 });
    await declare();
    await harness.clock.advanceUntil(() => heard.failures.length === 1, 200_000, 1000);
    assert.equal(heard.failures[0]?.error.code, 'TIMEOUT');
    device.inbox.length = 0;
    await harness.clock.advance(32_000);
    await accept(device, '10');
    assert.deepEqual(heard.payloads(), [10]);
  });

  it('does not try again by itself what a device refuses for good', async () => {
    const device = await harness.registered({ lifetime: 86_400 });
    await declare();
    (await device.expectRequest()).reply(CoapCode.NotFound);
    await harness.clock.advance(2 * 3600_000);
    assert.equal(device.inbox.length, 0);
  });

  it('says what fails again at each update once, until it succeeds', async () => {
    const device = await harness.registered();
    await declare();
    const refuse = async (): Promise<void> => {
      (await device.expectRequest()).reply(CoapCode.NotFound);
      await harness.clock.settle();
    };
    await refuse();
    await device.update();
    await refuse();
    await harness.settled(device.register({ endpoint: 'lamp-1' }));
    await refuse();
    assert.equal(heard.failures.length, 1);
    await device.update();
    await accept(device, '1');
    await harness.settled(device.register({ endpoint: 'lamp-1' }));
    await refuse();
    assert.equal(heard.failures.length, 2);
  });

  it('keeps nothing of a device that left', async () => {
    const device = await harness.registered();
    const handle = await declare();
    await accept(device, '10');
    await device.deregister();
    await harness.clock.settle();
    assert.deepEqual(handle.status(), { devices: 0, observing: 0, waiting: 0, failed: 0 });
    assert.equal(heard.failures.length, 0);
  });
});
