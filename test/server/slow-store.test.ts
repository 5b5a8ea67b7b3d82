import assert from 'node:assert/strict';
import { parsePath, type Operation, type ServerEvent } from '../../src';
import { CoapCode } from '../../src/coap';
import { MemoryStore } from '../../src/store/memory-store';
import type { ScriptedDevice } from '../support/scripted-device';
import { SimulatedClock } from '../support/simulated-clock';
import { Harness } from './harness';

/** Whoever writes waits here until the test lets him go on. */
class Gate {
  #waiting: (() => void)[] = [];
  isShut = false;

  async pass(): Promise<void> {
    if (this.isShut) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Lets those go on who wait now. */
  letPass(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  open(): void {
    this.isShut = false;
    this.letPass();
  }
}

/** The same method of a store, behind a gate. */
function slowly<A extends unknown[], R>(gate: Gate, method: (...parameters: A) => R): (...parameters: A) => Promise<R> {
  return async (...parameters) => {
    await gate.pass();
    return method(...parameters);
  };
}

const EXECUTE: Operation = { operation: 'execute', path: parsePath('/3/0/4') };

describe('A store that takes its time', () => {
  let clock: SimulatedClock;
  let gate: Gate;
  let harness: Harness;
  let conditions: ServerEvent[];

  beforeEach(async () => {
    clock = new SimulatedClock();
    gate = new Gate();
    conditions = [];
    const store = new MemoryStore(clock);
    const { registrations, orders, observations } = store;
    Object.assign(registrations, { put: slowly(gate, registrations.put.bind(registrations)) });
    Object.assign(orders, { put: slowly(gate, orders.put.bind(orders)) });
    Object.assign(observations, { put: slowly(gate, observations.put.bind(observations)) });
    harness = await Harness.start({
      clock,
      store,
      awakeTime: 10,
      listen: (engine) => engine.on('condition', (event) => conditions.push(event)),
    });
  });

  afterEach(async () => {
    gate.open();
    await harness.close();
  });

  const settle = async (): Promise<void> => {
    for (let turns = 0; turns < 6; turns += 1) await clock.settle();
  };

  const meter = (): Promise<ScriptedDevice> => harness.registered({ query: ['b=U', 'Q'], lifetime: 86_400 });

  it('is not in trouble because a device registers many times at once', async () => {
    gate.isShut = true;
    const device = harness.device();
    const answers = Array.from({ length: 8 }, () => device.register({ endpoint: 'lamp-1' }));
    await settle();
    gate.open();
    const codes = (await Promise.all(answers)).map(({ code }) => code);
    assert.ok(codes.includes(CoapCode.Created));
    assert.ok(codes.every((code) => code === CoapCode.Created || code === CoapCode.ServiceUnavailable));
    assert.deepEqual([conditions, harness.engine.trouble], [[], undefined]);
  });

  it('does not make an order miss that its device woke meanwhile', async () => {
    const device = await meter();
    await clock.advance(15_000);
    const result = harness.engine.perform('lamp-1', EXECUTE);
    await settle();
    gate.isShut = true;
    await device.update();
    await settle();
    assert.equal(gate.waiting, 1);
    // It falls asleep while the store notes that the order is on its way, which is taken back ...
    await clock.advance(15_000);
    gate.letPass();
    await settle();
    assert.deepEqual([gate.waiting, device.inbox.length], [1, 0]);
    // ... and wakes while the store does that.
    await device.update();
    await settle();
    gate.open();
    await settle();
    (await device.expectRequest()).reply(CoapCode.Changed);
    assert.equal((await result).code, '2.04');
  });

  it('does not let a notification overtake the first value', async () => {
    const device = await harness.registered();
    gate.isShut = true;
    const told: [unknown, boolean | undefined][] = [];
    await harness.engine.observePolicy(
      'policy',
      { target: { endpoint: 'lamp-1' }, paths: [parsePath('/3311/0/5851')] },
      { value: ({ payload, first }) => told.push([payload, first]), failed: () => undefined },
    );
    const request = await device.expectRequest();
    const { token } = request.message;
    request.reply(CoapCode.Content, { observe: 1, contentFormat: 0 }, '10');
    await settle();
    device.notify(token, 2, '20', { contentFormat: 0 });
    device.notify(token, 3, '30', { contentFormat: 0 });
    await settle();
    assert.deepEqual([told, gate.waiting], [[], 1]);
    gate.open();
    await settle();
    assert.deepEqual(told, [
      [10, true],
      [20, undefined],
      [30, undefined],
    ]);
    assert.equal(harness.engine.devices()[0]?.values['/3311/0/5851']?.reported?.value, 30);
  });
});
