import assert from 'node:assert/strict';
import { once } from 'node:events';
import { CoapCode } from '../../src/coap';
import { decodeContent } from '../../src/content';
import { ROOT } from '../../src/model';
import { simulateFleet, type SimulatedFleet } from '../../src/simulator';
import { meter } from '../../src/simulator/behaviours/meter';
import { realNetwork, SimulatedClock } from '../support/simulated-clock';
import { live } from './life';
import { ScriptedServer, TYPES, type DeviceRequest } from './scripted-server';

const VOLUME = '/3424/0/1';
const HOUR = 3_600_000;

describe('A simulated water meter', () => {
  it('counts what flows, more in the morning than at night, and the same however often it is looked at', async () => {
    const often = live(meter);
    const seldom = live(meter);
    const perHour: number[] = [];
    for (let hour = 0; hour < 24; hour += 1) {
      const before = often.number(VOLUME);
      for (let minute = 0; minute < 60; minute += 1) {
        await often.clock.advance(HOUR / 60);
        often.device.advance();
      }
      perHour.push(often.number(VOLUME) - before);
    }
    await seldom.clock.advance(24 * HOUR);
    assert.ok(Math.abs(often.number(VOLUME) - seldom.number(VOLUME)) < 0.0002);
    // It began at noon (UTC).
    const [atSeven = NaN, atOne = NaN] = [perHour[19], perHour[13]];
    assert.ok(atSeven > 3 * atOne && atOne > 0, perHour.join(' '));
  });

  it('can be set to nothing', async () => {
    const household = live(meter);
    household.execute('/3424/0/2');
    assert.equal(household.number(VOLUME), 0);
    await household.clock.advance(HOUR);
    const used = household.number(VOLUME);
    assert.ok(used > 0 && used < 1, String(used));
  });

  it('that is awake asks a server that has no Send once an update, not with every reading', async () => {
    const server = await new ScriptedServer().start();
    server.respond = ({ method }) => (method === 'send' ? { code: CoapCode.NotFound } : undefined);
    const clock = new SimulatedClock();
    const options = { kind: 'meter', count: 1, endpointPrefix: 'meter-', serverUri: server.uri, clock, tick: 1_000 };
    const fleet = simulateFleet({ ...options, queueMode: false });
    await fleet.start();
    const count = (method: string) => server.requests.filter((request) => request.method === method).length;
    await clock.advanceUntil(() => count('update') === 2, HOUR, 1_000, realNetwork);
    await clock.advance(1_000);
    assert.ok(count('send') >= 2 && count('send') <= 3, String(count('send')));
    await fleet.stop();
    await server.stop();
  });

  describe('that sleeps', () => {
    let server: ScriptedServer;
    let clock: SimulatedClock;
    let fleet: SimulatedFleet;

    beforeEach(async () => {
      server = await new ScriptedServer().start();
      clock = new SimulatedClock(Date.UTC(2030, 6, 1, 12));
      fleet = simulateFleet({ kind: 'meter', count: 1, endpointPrefix: 'meter-', serverUri: server.uri, clock });
      await fleet.start();
    });

    afterEach(async () => {
      await fleet.stop();
      await server.stop();
      assert.equal(clock.timers, 0);
    });

    const readingsOf = ({ payload }: DeviceRequest) => decodeContent(112, ROOT, payload, TYPES);

    it('wakes every five minutes and sends what it has read meanwhile, with the times', async () => {
      const [device] = fleet.devices;
      assert.ok(device);
      const { query } = await server.next('register');
      assert.ok('Q' in query);
      assert.equal(query['lt'], '3600');
      await clock.advanceUntil(() => device.asleep, 100_000);
      const updated = once(device, 'updated');
      await clock.advanceUntil(() => !device.asleep, 300_000);
      await updated;
      const times: (number | undefined)[] = [];
      while (times.length < 4) times.push(...readingsOf(await server.next('send')).map(({ timestamp }) => timestamp));
      const start = Date.UTC(2030, 6, 1, 12);
      assert.deepEqual(
        times,
        [1, 2, 3, 4].map((minute) => start + minute * 60_000),
      );
    });

    it('keeps its readings while the server does not want them, and loses none', async () => {
      const [device] = fleet.devices;
      assert.ok(device);
      const refused = { times: 0 };
      device.on('failed', () => (refused.times += 1));
      server.respond = ({ method }) => (method === 'send' ? { code: CoapCode.ServiceUnavailable } : undefined);
      await clock.advanceUntil(() => refused.times === 6, HOUR, 5_000, realNetwork);
      server.respond = () => undefined;
      server.requests.length = 0;
      const seen = new Set<number | undefined>();
      const upTo = Math.floor(clock.now() / 60_000) * 60_000;
      const collect = () => {
        for (const request of server.requests.splice(0)) {
          if (request.method === 'send') for (const { timestamp } of readingsOf(request)) seen.add(timestamp);
        }
        return seen.has(upTo);
      };
      await clock.advanceUntil(collect, HOUR, 5_000, realNetwork);
      for (let time = Date.UTC(2030, 6, 1, 12) + 60_000; time <= upTo; time += 60_000) {
        assert.ok(seen.has(time), new Date(time).toISOString());
      }
    });
  });
});
