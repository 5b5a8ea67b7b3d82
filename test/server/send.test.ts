import assert from 'node:assert/strict';
import { CoapCode } from '../../src/coap';
import type { ScriptedDevice } from '../support/scripted-device';
import { Harness } from './harness';

describe('Send', () => {
  let harness: Harness;

  beforeEach(async () => {
    harness = await Harness.start();
  });

  afterEach(async () => {
    await harness.close();
  });

  const send = (device: ScriptedDevice, records: unknown, contentFormat = 110) =>
    device.request(CoapCode.POST, { uriPath: ['dp'], contentFormat }, JSON.stringify(records));

  it('of a registered device is answered 2.04 and told', async () => {
    const device = await harness.registered();
    const response = await send(device, [
      { n: '/3303/0/5700', v: 21.5 },
      { n: '/3311/0/5850', vb: true },
    ]);
    assert.equal(response.code, CoapCode.Changed);
    await harness.clock.settle();
    const at = harness.clock.now();
    assert.deepEqual(harness.eventsOf('sent'), [
      {
        topic: 'sent',
        endpoint: 'lamp-1',
        payload: [
          { path: '/3303/0/5700', value: 21.5, at },
          { path: '/3311/0/5850', value: true, at },
        ],
      },
    ]);
    assert.equal(harness.engine.devices()[0]?.values['/3303/0/5700']?.reported?.value, 21.5);
  });

  it('with several times is one event a time, in their order', async () => {
    const device = await harness.registered();
    const now = harness.clock.now();
    const record = (seconds: number, v: number) => ({ n: '/3303/0/5700', v, t: now / 1000 + seconds });
    await send(device, [record(-10, 3), record(-30, 1), record(-20, 2)]);
    await harness.clock.settle();
    assert.deepEqual(
      harness.eventsOf('sent').map(({ payload }) => [payload[0]?.value, (payload[0]?.at ?? 0) - now]),
      [
        [1, -30_000],
        [2, -20_000],
        [3, -10_000],
      ],
    );
  });

  it('of anybody else is answered 4.04, and nothing is told', async () => {
    await harness.registered();
    const response = await send(harness.device('203.0.113.1:5'), [{ n: '/3303/0/5700', v: 99 }]);
    assert.equal(response.code, CoapCode.NotFound);
    await harness.clock.settle();
    assert.deepEqual(harness.topics(), ['registered', 'rejected']);
    assert.deepEqual(harness.engine.devices()[0]?.values, {});
  });

  it('of a device whose registration is over is answered 4.04', async () => {
    const device = await harness.registered({ lifetime: 20 });
    await harness.clock.advance(25_000);
    assert.equal((await send(device, [{ n: '/3303/0/5700', v: 1 }])).code, CoapCode.NotFound);
    const again = await harness.registered({ endpoint: 'lamp-2' }, '192.0.2.44:1');
    await again.deregister();
    assert.equal((await send(again, [{ n: '/3303/0/5700', v: 1 }])).code, CoapCode.NotFound);
  });

  it('in a format that cannot be is answered 4.15, and with broken bytes 4.00', async () => {
    const device = await harness.registered();
    assert.equal((await send(device, [], 0)).code, CoapCode.UnsupportedContentFormat);
    assert.equal((await send(device, [], 65_000)).code, CoapCode.UnsupportedContentFormat);
    assert.equal((await send(device, '{{')).code, CoapCode.BadRequest);
    await harness.clock.settle();
    assert.deepEqual(harness.topics(), ['registered']);
  });

  it('shows nothing of objects that hold keys', async () => {
    const device = await harness.registered();
    await send(device, [
      { n: '/0/0/5', vd: 'c2VjcmV0' },
      { n: '/3/0/9', v: 80 },
    ]);
    await harness.clock.settle();
    assert.deepEqual(
      harness.eventsOf('sent').flatMap(({ payload }) => payload.map(({ path }) => path)),
      ['/3/0/9'],
    );
  });
});
