import assert from 'node:assert/strict';
import { parsePath, type Operation } from '../../../src';
import { CoapCode } from '../../../src/coap';
import { Harness, pathOfRequest } from '../harness';

const write = (path: string, value: unknown): Operation => ({
  operation: 'write',
  path: parsePath(path),
  value,
  mode: 'replace',
});
const execute = (path: string): Operation => ({ operation: 'execute', path: parsePath(path) });
const CHANGED = { code: CoapCode.Changed };

describe('OMA test cases of registration', () => {
  let harness: Harness;

  afterEach(async () => {
    await harness.close();
  });

  it('OMA 101 Initial registration', async () => {
    harness = await Harness.start();
    const device = harness.device();
    const response = await device.register({ endpoint: 'lamp-1', lifetime: 86_400, links: '</1/0>,</3/0>,</0/0>' });
    assert.equal(response.code, CoapCode.Created);
    assert.equal(response.options.locationPath?.[0], 'rd');
    await harness.clock.settle();
    const { payload } = harness.eventsOf('registered')[0] ?? assert.fail('no event');
    assert.deepEqual(
      [payload.endpoint, payload.lifetime, payload.version, payload.binding, payload.objects.map(({ id }) => id)],
      ['lamp-1', 86_400, '1.1', 'U', [1, 3]],
    );
  });

  it('OMA 102 Registration update', async () => {
    harness = await Harness.start();
    const device = await harness.registered({ lifetime: 86_400 });
    await harness.perform(device, write('/1/0/1', 20), CHANGED);
    assert.equal((await device.update(['lt=20'])).code, CoapCode.Changed);
    await harness.clock.advance(15_000);
    assert.equal((await device.update()).code, CoapCode.Changed);
    await harness.clock.advance(15_000);
    assert.equal(harness.eventsOf('expired').length, 0);
    await harness.clock.advance(10_000);
    assert.equal(harness.eventsOf('expired').length, 1);
  });

  it('OMA 103 Deregistration', async () => {
    harness = await Harness.start();
    const device = await harness.registered();
    await harness.perform(device, execute('/1/0/4'), CHANGED);
    assert.equal((await device.deregister()).code, CoapCode.Deleted);
    await harness.clock.settle();
    assert.equal(harness.engine.devices()[0]?.connectivity, 'offline');
    assert.deepEqual(harness.topics(), ['registered', 'deregistered']);
    assert.equal((await device.update()).code, CoapCode.NotFound);
  });

  it('OMA 104 Registration update trigger', async () => {
    harness = await Harness.start();
    const device = await harness.registered({ lifetime: 60 });
    await harness.clock.advance(50_000);
    await harness.perform(device, execute('/1/0/8'), CHANGED);
    assert.equal((await device.update()).code, CoapCode.Changed);
    await harness.clock.advance(55_000);
    assert.equal(harness.eventsOf('expired').length, 0);
  });

  it('OMA 105 Discarded registration update', async () => {
    harness = await Harness.start();
    const device = await harness.registered({ lifetime: 20 });
    await harness.clock.advance(30_000);
    assert.equal((await device.update()).code, CoapCode.NotFound);
    assert.equal((await device.register({ endpoint: 'lamp-1', lifetime: 20 })).code, CoapCode.Created);
  });

  it('OMA 107 Extending the lifetime of a registration', async () => {
    harness = await Harness.start();
    const device = await harness.registered({ lifetime: 20 });
    await harness.perform(device, write('/1/0/1', 100), CHANGED);
    assert.equal((await device.update(['lt=100'])).code, CoapCode.Changed);
    await harness.clock.advance(90_000);
    assert.equal(harness.engine.devices()[0]?.lifetime, 100);
    assert.equal(harness.eventsOf('expired').length, 0);
  });

  it('OMA 108 Turn on queue mode', async () => {
    harness = await Harness.start();
    await harness.registered({ query: ['b=U', 'Q'] });
    assert.equal(harness.eventsOf('registered')[0]?.payload.queueMode, true);
  });

  it('OMA 109 Behaviour in queue mode', async () => {
    harness = await Harness.start();
    const device = await harness.registered({ query: ['b=U', 'Q'], lifetime: 86_400 });
    await harness.clock.advance(96_000);
    assert.equal(harness.engine.devices()[0]?.connectivity, 'asleep');
    const reading = harness.engine.perform('lamp-1', { operation: 'read', paths: [parsePath('/3/0/0')] });
    await harness.clock.advance(30_000);
    assert.equal(device.inbox.length, 0);
    assert.equal((await device.update()).code, CoapCode.Changed);
    const request = await device.expectRequest();
    assert.equal(pathOfRequest(request.message), '/3/0/0');
    request.reply(CoapCode.Content, { contentFormat: 0 }, 'Open');
    assert.equal((await reading).payload, 'Open');
  });

  const profiles = { 'street-light-1': '</1/0>,</3/0>,</3311/0>' };
  const idsOf = (): unknown => harness.eventsOf('registered')[0]?.payload.objects.map(({ id }) => id);

  it('OMA 110 Registration with a Profile ID', async () => {
    harness = await Harness.start({ profiles });
    await harness.registered({ version: '1.2', links: '', query: ['pid=street-light-1'] });
    assert.deepEqual(idsOf(), [1, 3, 3311]);
    const stranger = harness.device('192.0.2.77:1');
    const refused = await stranger.register({ endpoint: 'x', version: '1.2', links: '', query: ['pid=unknown'] });
    assert.equal(refused.code, CoapCode.PreconditionFailed);
    await harness.clock.settle();
    assert.equal(harness.eventsOf('rejected')[0]?.payload.reason, 'version');
  });

  it('OMA 111 Registration with a Profile ID and an object list', async () => {
    harness = await Harness.start({ profiles });
    await harness.registered({ version: '1.2', links: '</3303/0>', query: ['pid=street-light-1'] });
    assert.deepEqual(idsOf(), [1, 3, 3303, 3311]);
  });

  it('OMA 241 Executable resource: reboot; the device registers again', async () => {
    harness = await Harness.start();
    const device = await harness.registered();
    const old = device.location ?? [];
    await harness.perform(device, execute('/3/0/4'), CHANGED);
    assert.equal((await device.register({ endpoint: 'lamp-1' })).code, CoapCode.Created);
    assert.equal((await device.request(CoapCode.POST, { uriPath: old })).code, CoapCode.NotFound);
    assert.equal(harness.engine.devices().length, 1);
  });
});
