import assert from 'node:assert/strict';
import { on, type FlowNode } from '../nodes/flow-harness';
import { FORMAT } from './support/raw-device';
import { OPTION } from './support/wire';
import { Stage } from './support/stage';

const EVENTS: FlowNode[] = [on('events', 'lwm2m-events', { server: 'server' }, ['heard']), on('heard', 'helper')];

describe('contract: lwm2m-events', () => {
  let stage: Stage;

  afterEach(() => stage.close());

  async function payloadOf(topic: string): Promise<Record<string, unknown>> {
    const msg = await stage.next('heard');
    assert.equal(msg.topic, topic);
    return msg.payload as Record<string, unknown>;
  }

  it('tells all of a registration', async () => {
    stage = await Stage.open(EVENTS);
    const device = await stage.stranger('urn:imei:1 2');
    await device.register({ version: '1.0', b: 'UQ', lt: 600, objects: '</1/0>,</3303>;ver="1.1",</3303/2>,</3>' });
    const { address, registeredAt, ...rest } = await payloadOf('registered');
    assert.deepEqual(JSON.parse(JSON.stringify(rest)), {
      endpoint: 'urn:imei:1 2',
      version: '1.0',
      binding: 'U',
      queueMode: true,
      lifetime: 600,
      lifetimeRequested: 600,
      objects: [
        { id: 1, version: '1.0', instances: [0] },
        { id: 3, version: '1.0', instances: [] },
        { id: 3303, version: '1.1', instances: [2] },
      ],
      identity: { mode: 'nosec' },
      labels: {},
      groups: [],
      priority: 'normal',
    });
    assert.deepEqual({ ...(address as object), port: 0 }, { host: '127.0.0.1', port: 0, transport: 'coap' });
    assert.ok(Math.abs(Number(registeredAt) - Date.now()) < 5000);
  });

  it('clamps lifetimes, and tells a device its maximum', async () => {
    stage = await Stage.open(EVENTS, { lifetimeMin: '60', lifetimeMax: 3600 });
    const device = await stage.stranger('raw-1');
    device.answers.set('PUT /1/0/1', { code: '2.04' });
    await device.register({ lt: 86400 });
    const high = await payloadOf('registered');
    assert.deepEqual([high.lifetime, high.lifetimeRequested], [3600, 86400]);
    const told = await device.next('PUT /1/0/1');
    assert.equal(told.payload.toString(), '3600');
    await device.update(['lt=5']);
    const low = await payloadOf('updated');
    assert.deepEqual([low.lifetime, low.lifetimeRequested], [60, 5]);
  });

  it('tells values that are sent, one message a timestamp', async () => {
    stage = await Stage.open(EVENTS);
    const device = await stage.device('raw-1');
    await payloadOf('registered');
    const records = [
      { bn: '/3303/0/', bt: 1700000000, n: '5700', v: 20 },
      { n: '5701', vs: 'Cel' },
      { n: '5700', t: 10, v: 21 },
    ];
    const sent = { contentFormat: FORMAT.senmlJson, payload: JSON.stringify(records) };
    assert.equal((await device.request('0.02', ['dp'], [], sent)).code, '2.04');
    assert.deepEqual(await payloadOf('sent'), [
      { path: '/3303/0/5700', value: 20, at: 1700000000000 },
      { path: '/3303/0/5701', value: 'Cel', at: 1700000000000 },
    ]);
    assert.deepEqual(await payloadOf('sent'), [{ path: '/3303/0/5700', value: 21, at: 1700000010000 }]);
  });

  it('says who was rejected, at what and why', async () => {
    stage = await Stage.open(EVENTS, { noSec: 'none' });
    const device = await stage.stranger('raw-1');
    assert.equal((await device.register()).code, '4.03');
    const { address, ...rejection } = await payloadOf('rejected');
    assert.deepEqual(rejection, {
      endpoint: 'raw-1',
      identity: { mode: 'nosec' },
      operation: 'register',
      reason: 'noSec',
    });
    assert.equal((address as { transport: string }).transport, 'coap');
    assert.equal((await device.register({ version: '7.0' })).code, '4.12');
    assert.equal((await payloadOf('rejected')).reason, 'version');
    assert.equal((await device.request('0.02', ['rd', 'gone'])).code, '4.04');
    assert.equal((await payloadOf('rejected')).reason, 'unknown');
  });

  it('believes a De-register from another address only with the Echo', async () => {
    stage = await Stage.open(EVENTS);
    const device = await stage.device('raw-1');
    await payloadOf('registered');
    await device.move();
    const challenged = await device.deregister();
    assert.equal(challenged.code, '4.01');
    assert.ok(challenged.options.some(({ number }) => number === OPTION.echo));
    // One that knows no Echo registers again.
    assert.equal((await device.register()).code, '2.01');
    await payloadOf('registered');
    assert.equal((await device.deregister()).code, '2.02');
    await payloadOf('deregistered');
  });

  it('hears a device over IPv6 on the same port', async () => {
    stage = await Stage.open(EVENTS);
    await stage.device('raw-4');
    assert.equal(((await payloadOf('registered')).address as { host: string }).host, '127.0.0.1');
    const device = await stage.stranger('raw-6', '::1');
    assert.equal((await device.register()).code, '2.01');
    assert.equal(((await payloadOf('registered')).address as { host: string }).host, '::1');
  });
});
