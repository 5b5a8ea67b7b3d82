import assert from 'node:assert/strict';
import { isFailure, parsePath, type Operation, type OrderRun } from '../../src';
import { MemoryStore } from '../../src/store/memory-store';
import { MemoryNetwork } from '../support/memory-network';
import { SeededRandom } from '../support/seeded-random';
import { SimulatedClock } from '../support/simulated-clock';
import { SleepingDevice } from '../support/sleeping-device';
import { Harness } from './harness';

const SERVER = '192.0.2.1:5683';
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const REBOOT = parsePath('/3/0/4');
const TIME_ZONE = parsePath('/3/0/15');
const OWNER = 'flow';

const IS_SOAK = process.env['SOAK'] === '1';
const DEVICES = IS_SOAK ? 3_000 : 1_000;
const ORDERS = 3 * DEVICES;
const SEEDS = IS_SOAK ? [1, 2, 3] : [1];

interface Given {
  readonly device: SleepingDevice;
  readonly name: 'execute' | 'write';
  /** What was said of it last: a response code or the code of an error. */
  outcome: string | undefined;
  /** How often something was said of it that is final: a server that stops says nothing final. */
  said: number;
}

/** Something to be done, told by its number. */
function operationOf(name: Given['name'], number: number): Operation {
  return name === 'execute'
    ? { operation: 'execute', path: REBOOT, args: { 0: number } }
    : { operation: 'write', path: TIME_ZONE, value: `zone ${number}`, mode: 'replace' };
}

describe(`A day of ${DEVICES} sleeping devices on a bad network, with two restarts of the server`, () => {
  for (const seed of SEEDS) {
    it(`each order is done once or visibly is not (seed ${seed})`, async function () {
      this.timeout(IS_SOAK ? 600_000 : 120_000);
      const clock = new SimulatedClock();
      const random = new SeededRandom(seed);
      const network = new MemoryNetwork(clock, { seed, loss: 0.1, duplicate: 0.1, reorder: 0.1, reorderDelay: 3000 });
      const store = new MemoryStore(clock);
      const start = (): Promise<Harness> => Harness.start({ clock, network, store, awakeTime: 20 });
      let harness = await start();
      let isStopping = false;

      const devices = Array.from({ length: DEVICES }, (_, n) => {
        const wakeEvery = 10 * MINUTE + random.below(80 * MINUTE);
        const address = `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}:5000`;
        const firstWake = random.below(wakeEvery);
        const device = { clock, network, server: SERVER, address, firstWake, wakeEvery, listenFor: 30_000 };
        return new SleepingDevice({ ...device, endpoint: `meter-${n}` });
      });
      await clock.advance(90 * MINUTE);

      const given: Given[] = [];
      const follow = (run: OrderRun, order: Given): void =>
        run.onResult((outcome) => {
          order.outcome = isFailure(outcome) ? outcome.error.code : outcome.code;
          if (!isStopping) order.said += 1;
        });
      const give = (): void => {
        const number = given.length;
        const n = random.below(DEVICES);
        const name = random.happens(0.5) ? 'execute' : 'write';
        const order: Given = { device: devices[n] as SleepingDevice, name, outcome: undefined, said: 0 };
        given.push(order);
        const run = harness.engine.order({
          target: { endpoint: `meter-${n}` },
          operation: operationOf(name, number),
          expires: 30 * MINUTE + random.below(4 * HOUR),
          origin: { owner: OWNER, note: () => number },
        });
        follow(run, order);
      };
      for (let n = 0; n < ORDERS; n += 1) clock.setTimer(give, random.below(DAY - 6 * HOUR));

      /** Stops the server in the middle of something that must not be done twice, and starts another. */
      const restart = async (): Promise<number> => {
        const isAsked = (): boolean => [...store.orders.all()].some(([, { sent }]) => sent === true);
        await clock.advanceUntil(isAsked, 4 * HOUR, 250);
        isStopping = true;
        await harness.close();
        isStopping = false;
        harness = await start();
        let taken = 0;
        harness.engine.takeUpOrders(OWNER, ({ run, note }) => {
          taken += 1;
          follow(run, given[note as number] as Given);
        });
        return taken;
      };
      await clock.advance(5 * HOUR);
      const takenFirst = await restart();
      await clock.advance(5 * HOUR);
      const takenSecond = await restart();
      await clock.advance(DAY - 10 * HOUR);

      const outcomes: Record<string, number> = {};
      for (const [number, { device, name, outcome = 'nothing', said }] of given.entries()) {
        const times = device.done.get(`${name} ${number}`) ?? 0;
        const about = `order ${number}, ${name}: ${outcome}, done ${times} times`;
        outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
        // Sent at once when the server stopped: its caller is gone with it, and was told so.
        assert.ok(said === 1 || (said === 0 && outcome === 'CANCELLED'), `${about}, said ${said} times`);
        assert.notEqual(outcome, 'nothing', about);
        if (outcome === '2.04') assert.ok(times > 0, about);
        if (name === 'execute') assert.ok(times <= 1, about);
        if (name === 'execute' && outcome === 'QUEUE_EXPIRED') assert.equal(times, 0, about);
      }
      assert.deepEqual([...store.orders.all()], []);
      assert.equal(harness.engine.devices().filter(({ waiting }) => waiting > 0).length, 0);
      assert.ok(takenFirst > 10 && takenSecond > 10, `${takenFirst} and ${takenSecond} orders outlived a server`);
      const { '2.04': succeeded = 0, QUEUE_EXPIRED: expired = 0, TIMEOUT: unknown = 0 } = outcomes;
      const counts = JSON.stringify(outcomes);
      assert.ok(succeeded > 0.8 * ORDERS, counts);
      assert.ok(expired > 0 && unknown > 0, counts);
      assert.deepEqual(
        Object.keys(outcomes).filter((code) => !['2.04', 'QUEUE_EXPIRED', 'TIMEOUT', 'CANCELLED'].includes(code)),
        [],
      );
      await harness.close();
    });
  }
});
