import assert from 'node:assert/strict';
import { Engine, parsePath, type DeviceEvent, type EngineOptions } from '../../src';
import { simulateFleet, type FleetEvent, type FleetOptions, type SimulatedDevice } from '../../src/simulator';
import { realNetwork, SimulatedClock } from '../support/simulated-clock';

const DIMMER = '/3311/0/5851';
const START = Date.UTC(2030, 6, 1, 12);

/** Simulated devices and the engine, over UDP on this machine and in one simulated time. */
describe('Simulated devices and the engine', () => {
  let clock: SimulatedClock;
  let engine: Engine;
  let events: DeviceEvent[];
  let told: FleetEvent[];
  let stop: () => Promise<void>;

  async function start(options: Partial<FleetOptions>, settings: EngineOptions = {}): Promise<SimulatedDevice> {
    clock = new SimulatedClock(START);
    events = [];
    told = [];
    engine = new Engine({ host: '127.0.0.1', coapPort: 0, clock, ...settings });
    engine.on('device', (event) => events.push(event));
    await engine.start();
    const fleet = simulateFleet({
      kind: 'street-light',
      count: 1,
      endpointPrefix: 'device-',
      serverUri: `coap://127.0.0.1:${engine.addresses[0]?.port}`,
      clock,
      tick: 1_000,
      onEvent: (event) => told.push(event),
      ...options,
    });
    stop = async () => {
      await fleet.stop();
      await engine.close();
    };
    await fleet.start();
    await until(() => events.some(({ topic }) => topic === 'registered'));
    return fleet.device('device-1');
  }

  afterEach(async () => {
    await stop();
    assert.deepEqual(
      told.filter(({ topic }) => topic === 'fault'),
      [],
    );
  });

  /** In steps that real datagrams can keep up with. */
  const until = (condition: () => boolean, seconds = 600) =>
    clock.advanceUntil(condition, seconds * 1000, 500, realNetwork);

  const pass = (seconds: number) => {
    const end = clock.now() + seconds * 1000;
    return until(() => clock.now() >= end, seconds + 1);
  };

  const topics = (topic: string) => events.filter((event) => event.topic === topic);

  /** What the device has sent of a path, with the times. */
  const sent = (path: string) =>
    topics('sent')
      .flatMap(({ payload }) => payload as { path: string; value: unknown; at: number }[])
      .filter((each) => each.path === path)
      .map(({ value, at }) => [value, at - START]);

  const perform = async (operation: Parameters<Engine['perform']>[1]) => {
    const performed = engine.perform('device-1', operation);
    let isDone = false;
    performed.then(
      () => (isDone = true),
      () => (isDone = true),
    );
    await until(() => isDone);
    return performed;
  };
  const read = async (path: string) => (await perform({ operation: 'read', paths: [parsePath(path)] })).payload;
  const execute = (path: string) => perform({ operation: 'execute', path: parsePath(path) });
  const write = (path: string, value: unknown) =>
    perform({ operation: 'write', path: parsePath(path), value, mode: 'replace' });

  const observed: unknown[] = [];
  const observe = async (device: SimulatedDevice, path: string) => {
    observed.length = 0;
    const listener = { value: ({ payload }: { payload: unknown }) => observed.push(payload), failed: () => undefined };
    await engine.observePolicy('p', { target: { all: true }, paths: [parsePath(path)] }, listener);
    await until(() => device.observations === 1);
  };

  /** As somebody does it who stands before the lamp. */
  const dim = (device: SimulatedDevice, to: number) => {
    device.objects.resource(parsePath(DIMMER)).value = to;
  };

  it('lose nothing that was recorded while the device was disabled', async () => {
    const device = await start({});
    await observe(device, DIMMER);
    await write('/1/0/5', 120);
    await execute('/1/0/4');
    await until(() => topics('deregistered').length === 1);
    assert.deepEqual(
      told.filter(({ topic }) => topic === 'disabled').map((event) => 'seconds' in event && event.seconds),
      [120],
    );
    const recorded: unknown[] = [];
    for (const value of [80, 60, 40, 20]) {
      await pass(20);
      dim(device, value);
      recorded.push([value, clock.now() - START]);
    }
    assert.equal(topics('registered').length, 1, 'it stays away');
    await until(() => topics('registered').length === 2);
    await until(() => device.recorded === 0 && device.observations === 1);
    assert.deepEqual(sent(DIMMER), recorded);
    await until(() => observed.at(-1) === 20);
    dim(device, 10);
    await until(() => observed.at(-1) === 10);
    assert.deepEqual(sent(DIMMER), recorded, 'what can be notified is not sent');
  });

  it('keep what was recorded while Send is muted', async () => {
    const device = await start({ kind: 'meter', queueMode: false, updateInterval: 50 });
    await write('/1/0/23', true);
    await until(() => device.recorded === 12, 300);
    assert.deepEqual(sent('/3424/0/1'), [], 'muted');
    assert.equal(told.filter(({ topic }) => topic === 'failed').length, 0);
    await write('/1/0/23', false);
    await until(() => device.recorded === 0);
    assert.equal(sent('/3424/0/1').length, 12);
  });

  it('record nothing when the server does not want it', async () => {
    const device = await start({});
    await observe(device, DIMMER);
    await write('/1/0/6', false);
    await write('/1/0/5', 30);
    await execute('/1/0/4');
    await until(() => topics('deregistered').length === 1);
    await pass(10);
    dim(device, 50);
    await until(() => topics('registered').length === 2);
    await until(() => observed.at(-1) === 50);
    assert.deepEqual(sent(DIMMER), []);
  });

  it('keep a registration over a modem that vanishes and returns from another address', async () => {
    const device = await start({ lifetime: 600 });
    await observe(device, DIMMER);
    device.vanish(60);
    dim(device, 70);
    await pass(30);
    dim(device, 30);
    await until(() => topics('updated').length === 1);
    await until(() => device.recorded === 0 && observed.at(-1) === 30);
    assert.deepEqual(
      sent(DIMMER).map(([value]) => value),
      [70, 30],
    );
    assert.equal(topics('registered').length, 1);
    assert.equal(await read(DIMMER), 30);
    assert.deepEqual(
      told.map(({ topic }) => topic).filter((topic) => topic === 'vanished' || topic === 'returned'),
      ['vanished', 'returned'],
    );
  });

  it('let a modem vanish now and then by itself', async () => {
    await start({ kind: 'car', lifetime: 3600, vanishing: { every: 100, duration: 20 } });
    await until(() => told.filter(({ topic }) => topic === 'returned').length === 3);
    assert.equal(told.filter(({ topic }) => topic === 'vanished').length, 3);
    assert.equal(topics('registered').length, 1);
    await until(() => topics('updated').length === 3);
  });

  it('bring a waiting order to a device that wakes elsewhere', async () => {
    const device = await start({ queueMode: true, awakeTime: 10, updateInterval: 60, lifetime: 600 }, { awakeTime: 8 });
    await until(() => device.asleep && topics('asleep').length === 1);
    const order = engine.perform('device-1', {
      operation: 'write',
      path: parsePath(DIMMER),
      value: 55,
      mode: 'replace',
    });
    await pass(20);
    assert.equal(device.objects.valueAt(parsePath(DIMMER)), 100);
    await until(() => device.objects.valueAt(parsePath(DIMMER)) === 55);
    assert.ok((await order).queuedFor >= 20_000);
    assert.equal(topics('awake').length, 1);
    assert.equal(topics('registered').length, 1);
  });

  it('tell what a meter has read, each reading once, with its time', async () => {
    await start({ kind: 'meter', awakeTime: 5, updateInterval: 50, lifetime: 600 }, { awakeTime: 4 });
    await until(() => topics('awake').length === 4);
    await until(() => sent('/3424/0/1').length >= 16);
    const times = sent('/3424/0/1').map(([, at]) => at);
    assert.deepEqual(
      times,
      times.map((_, index) => (index + 1) * 10_000),
    );
  });

  it('stop the engine of a car, without a definition of its object', async () => {
    const device = await start({ kind: 'car' });
    device.control('drive');
    await until(() => Number(device.objects.valueAt(parsePath('/6/0/6'))) > 8);
    assert.equal(await read('/42769/0/0'), true);
    await execute('/42769/0/1');
    assert.equal(await read('/42769/0/0'), false);
    assert.equal(await read('/42769/0/3'), true);
    assert.ok(Number(await read('/42769/0/4')) > 8);
    await until(() => device.objects.valueAt(parsePath('/6/0/6')) === 0);
    await execute('/42769/0/2');
    assert.equal(await read('/42769/0/3'), false);
  });

  it('set the set point of an air conditioner, and hear of its temperature by thresholds', async () => {
    const device = await start({ kind: 'air-conditioner' });
    await write('/3308/0/5900', 19);
    await assert.rejects(write('/3308/0/5900', 90), { code: 'RESPONSE' });
    assert.equal(await read('/3306/1/5850'), true);
    observed.length = 0;
    const listener = { value: ({ payload }: { payload: unknown }) => observed.push(payload), failed: () => undefined };
    const policy = { target: { all: true as const }, paths: [parsePath('/3303/0/5700')], attributes: { lt: 20.05 } };
    await engine.observePolicy('p', policy, listener);
    await until(() => device.observations === 1);
    await until(() => observed.length === 2, 3_600);
    assert.ok(Number(observed[0]) > 21 && Number(observed[1]) <= 20, observed.join(' '));
  });
});
