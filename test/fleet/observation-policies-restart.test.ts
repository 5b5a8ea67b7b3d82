import assert from 'node:assert/strict';
import { Engine, parsePath, StoreError, type ObservationPolicy } from '../../src';
import { CoapCode, MessageType } from '../../src/coap';
import { MemoryStore } from '../../src/store/memory-store';
import { pathOfRequest } from '../server/harness';
import { MemoryNetwork } from '../support/memory-network';
import { ScriptedDevice } from '../support/scripted-device';
import { SimulatedClock } from '../support/simulated-clock';
import { Heard } from './heard';

const SERVER = '192.0.2.1:5683';
const DIMMER = parsePath('/3311/0/5851');
const ON_OFF = parsePath('/3311/0/5850');
const POLICY: ObservationPolicy = { target: { selector: 'ep=lamp-*' }, paths: [DIMMER] };

describe('Observation policies and a restart', () => {
  let clock: SimulatedClock;
  let store: MemoryStore;
  let network: MemoryNetwork;
  let engine: Engine;
  let heard: Heard;

  beforeEach(async () => {
    clock = new SimulatedClock();
    store = new MemoryStore(clock);
    network = new MemoryNetwork(clock);
    heard = new Heard();
    await start();
  });

  afterEach(async () => {
    await engine.close();
  });

  async function start(): Promise<void> {
    engine = new Engine({ clock, store, noSec: 'any', awakeTime: 10, transports: [network.transport(SERVER)] });
    await engine.start();
  }

  async function restart(): Promise<void> {
    await engine.close();
    await start();
  }

  const declare = (policy: Partial<ObservationPolicy> = {}, id = 'p', listener = heard) =>
    engine.observePolicy(id, { ...POLICY, ...policy }, listener, { owner: 'node' });

  async function registered(
    registration: Partial<Parameters<ScriptedDevice['register']>[0]> = {},
    address = '192.0.2.10:4000',
  ): Promise<ScriptedDevice> {
    const device = new ScriptedDevice(network, address, SERVER);
    await device.register({ endpoint: 'lamp-1', lifetime: 86_400, ...registration });
    await clock.settle();
    return device;
  }

  async function accept(device: ScriptedDevice, payload: string): Promise<Buffer> {
    const request = await device.expectRequest();
    assert.equal(request.message.options.observe, 0);
    request.reply(CoapCode.Content, { observe: 1, contentFormat: 0 }, payload);
    await clock.settle();
    return request.message.token;
  }

  /** @returns whether the server wants it */
  async function notify(device: ScriptedDevice, token: Buffer, observe: number, payload: string): Promise<boolean> {
    const messageId = device.notify(token, observe, payload, { contentFormat: 0 });
    const answer = await device.expect((message) => message.messageId === messageId);
    await clock.settle();
    return answer.type === MessageType.ACK;
  }

  const storedPolicies = (): string[] => [...store.policies.all()].map(([id]) => id);

  it('what came before anybody listens is kept, and nothing is sent to the device', async () => {
    const device = await registered();
    await declare();
    const token = await accept(device, '10');
    await restart();
    assert.equal(await notify(device, token, 2, '20'), true);
    assert.equal(await notify(device, token, 3, '30'), true);
    const later = new Heard();
    const handle = await declare({}, 'p', later);
    await engine.settlePolicies((owner) => owner === 'node');
    assert.equal(await notify(device, token, 4, '40'), true);
    await clock.advance(60_000);
    assert.deepEqual([later.payloads(), later.values[0]?.first], [[20, 30, 40], undefined]);
    assert.deepEqual(handle.status(), { devices: 1, observing: 1, waiting: 0, failed: 0 });
    assert.deepEqual(device.inbox, []);
  });

  it('what comes while the engine still takes up its store is not lost either', async () => {
    const device = await registered();
    await declare();
    const token = await accept(device, '10');
    await engine.close();
    const all = store.registrations.all.bind(store.registrations);
    store.registrations.all = async function* (this: void) {
      yield* all();
      device.notify(token, 2, '20', { contentFormat: 0 });
      await clock.settle();
    } as unknown as typeof store.registrations.all;
    await start();
    await declare();
    assert.deepEqual(heard.payloads(), [10, 20]);
  });

  it('asks none of many devices that observe already', async () => {
    const devices: ScriptedDevice[] = [];
    for (let n = 0; n < 300; n += 1)
      devices.push(await registered({ endpoint: `lamp-${n}` }, `10.3.${n >> 8}.${n & 255}:7`));
    await declare();
    const answers = Promise.all(devices.map((device) => accept(device, '5')));
    await clock.advance(3000);
    const tokens = await answers;
    await restart();
    const sent = network.sent;
    const handle = await declare();
    await engine.settlePolicies(() => true);
    await clock.advance(60_000);
    assert.deepEqual([network.sent - sent, handle.status().observing], [0, 300]);
    assert.equal(await notify(devices[299] as ScriptedDevice, tokens[299] as Buffer, 2, '6'), true);
    assert.equal(heard.payloads().at(-1), 6);
  });

  it('asks what no device observes yet only when its owner is back', async () => {
    await declare();
    await restart();
    const device = await registered();
    await clock.advance(1000);
    assert.deepEqual(device.inbox, []);
    await declare();
    await accept(device, '10');
    assert.deepEqual(heard.payloads(), [10]);
  });

  it('ends the policies of owners who are gone, on the devices too', async () => {
    const device = await registered();
    await declare();
    await declare({ paths: [ON_OFF] }, 'q');
    const [dimmer, onOff] = [await accept(device, '10'), await accept(device, '1')];
    await restart();
    await engine.settlePolicies((owner) => owner !== 'node');
    for (const token of [dimmer, onOff]) {
      const request = await device.expectRequest();
      assert.deepEqual([request.message.options.observe, request.message.token], [1, token]);
      request.reply(CoapCode.Content, { contentFormat: 0 }, '1');
      await clock.settle();
    }
    assert.deepEqual([storedPolicies(), store.observations.count()], [[], 0]);
  });

  it('ends observations that no policy wants: on a device that sleeps by RST to its next notification', async () => {
    const awake = await registered();
    const asleep = await registered({ endpoint: 'lamp-2', query: ['b=U', 'Q'] }, '192.0.2.11:4000');
    await declare();
    const tokens = [await accept(awake, '10'), await accept(asleep, '11')];
    await engine.close();
    store.policies.remove('p');
    await start();
    await clock.advance(15_000);
    await engine.settlePolicies(() => true);
    const request = await awake.expectRequest();
    assert.deepEqual([request.message.options.observe, request.message.token], [1, tokens[0]]);
    request.reply(CoapCode.Content, { contentFormat: 0 }, '10');
    await clock.settle();
    assert.equal(await notify(asleep, tokens[1] as Buffer, 2, '12'), false);
    assert.equal(store.observations.count(), 0);
  });

  it('that was cancelled to be remembered stays so, and can be declared again', async () => {
    const device = await registered();
    const handle = await declare();
    await accept(device, '10');
    await handle.cancel({ remember: true });
    (await device.expectRequest()).reply(CoapCode.Content, { contentFormat: 0 }, '10');
    await clock.settle();
    await restart();
    await engine.settlePolicies(() => true);
    await clock.advance(5000);
    assert.deepEqual(device.inbox, []);
    const [record, ...others] = engine.policiesOf('node');
    assert.deepEqual([record?.id, record?.cancelled, others], ['p', true, []]);
    await declare();
    await accept(device, '20');
    assert.equal(engine.policiesOf('node')[0]?.cancelled, undefined);
  });

  it('taken up by two is one observation on the device still', async () => {
    const device = await registered();
    const other = new Heard();
    await declare();
    const token = await accept(device, '10');
    await declare({ keys: 'name' }, 'q', other);
    (await device.expectRequest()).reply(CoapCode.Content, { contentFormat: 0 }, '10');
    await clock.settle();
    await restart();
    const first = await declare();
    await declare({ keys: 'name' }, 'q', other);
    await notify(device, token, 2, '20');
    await first.cancel();
    await clock.advance(1000);
    await notify(device, token, 3, '30');
    assert.deepEqual([heard.payloads(), other.payloads(), device.inbox], [[10, 20], [10, 20, 30], []]);
  });

  for (const version of ['1.0', '1.1']) {
    it(`of several paths goes on with a ${version} device`, async () => {
      const device = await registered({ version, links: '</>;ct=110,</3311/0>' });
      await declare({ paths: [ON_OFF, DIMMER] });
      let token: Buffer;
      if (version === '1.0') {
        // One of them refused; what was granted goes on.
        (await device.expectRequest()).reply(CoapCode.NotFound);
        token = await accept(device, '40');
      } else {
        const request = await device.expectRequest();
        token = request.message.token;
        request.reply(CoapCode.Content, { observe: 1, contentFormat: 110 }, '[{"n":"/3311/0/5851","v":40}]');
        await clock.settle();
      }
      heard.values.length = 0;
      await restart();
      await declare({ paths: [ON_OFF, DIMMER] });
      await clock.advance(5000);
      assert.deepEqual(device.inbox, []);
      if (version === '1.0') await notify(device, token, 2, '50');
      else device.notify(token, 2, '[{"n":"/3311/0/5851","v":50}]', { contentFormat: 110 });
      await clock.settle();
      assert.deepEqual(heard.payloads(), [version === '1.0' ? 50 : { '/3311/0/5851': 50 }]);
    });
  }

  it('declared anew with other words replaces what ran before it', async () => {
    const device = await registered();
    await declare();
    await accept(device, '10');
    await restart();
    await declare({ paths: [ON_OFF] });
    const cancel = await device.expectRequest();
    assert.deepEqual([cancel.message.options.observe, pathOfRequest(cancel.message)], [1, '/3311/0/5851']);
    cancel.reply(CoapCode.Content, { contentFormat: 0 }, '10');
    await accept(device, '1');
    assert.deepEqual(heard.payloads(), [10, true]);
  });

  it('is asked for again when the device registers anew after the restart', async () => {
    const device = await registered();
    await declare();
    await accept(device, '10');
    await restart();
    await declare();
    await device.register({ endpoint: 'lamp-1' });
    await accept(device, '11');
    assert.deepEqual([heard.payloads(), heard.values[1]?.first], [[10, 11], true]);
  });

  it('that the store does not take is not in force; one that it does not let go of holds on', async () => {
    const device = await registered();
    const put = store.policies.put.bind(store.policies);
    const full = (): never => {
      throw new StoreError('the disk is full');
    };
    store.policies.put = full;
    await assert.rejects(declare(), { code: 'STORE' });
    await clock.advance(1000);
    assert.deepEqual(device.inbox, []);
    store.policies.put = put;
    const handle = await declare();
    const token = await accept(device, '10');
    store.policies.put = full;
    store.policies.remove = full;
    await assert.rejects(declare({ paths: [ON_OFF] }), { code: 'STORE' });
    await assert.rejects(handle.cancel(), { code: 'STORE' });
    await assert.rejects(handle.cancel({ remember: true }), { code: 'STORE' });
    await assert.rejects(
      engine.settlePolicies(() => false),
      { code: 'STORE' },
    );
    assert.equal(await notify(device, token, 2, '20'), true);
    assert.deepEqual([heard.payloads(), device.inbox], [[10, 20], []]);
  });

  it('an observation that the store does not take is not observed, and tried again', async () => {
    const device = await registered();
    const put = store.observations.put.bind(store.observations);
    store.observations.put = () => {
      throw new StoreError('the disk is full');
    };
    await declare();
    const lost = await accept(device, '10');
    assert.equal(heard.failures[0]?.error.code, 'STORE');
    assert.equal(await notify(device, lost, 2, '20'), false);
    store.observations.put = put;
    await clock.advance(31_000);
    await accept(device, '30');
    assert.deepEqual(heard.payloads(), [30]);
  });
});
