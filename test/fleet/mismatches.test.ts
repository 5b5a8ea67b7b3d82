import assert from 'node:assert/strict';
import { parsePath, type DeviceEvent, type EngineOptions, type ValueView } from '../../src';
import { CoapCode } from '../../src/coap';
import { MemoryStore } from '../../src/store/memory-store';
import { Harness } from '../server/harness';
import { SimulatedClock } from '../support/simulated-clock';
import type { ScriptedDevice } from '../support/scripted-device';

const ON = '/3311/0/5850';
const DIMMER = '/3311/0/5851';
const LINKS = '</1/0>,</3/0>,</3311/0>,</3308/0>';

describe('A mismatch of what was commanded and what is reported', () => {
  let harness: Harness;
  let clock: SimulatedClock;
  let store: MemoryStore;
  let device: ScriptedDevice;

  async function start(options: EngineOptions = {}): Promise<void> {
    clock = new SimulatedClock();
    store = new MemoryStore(clock);
    harness = await Harness.start({ clock, store, ...options });
    device = await harness.registered({ endpoint: 'lamp-1', links: LINKS, lifetime: 86_400 });
  }

  beforeEach(() => start());

  afterEach(async () => {
    await harness.close();
  });

  async function command(path: string, value: unknown, user?: string): Promise<void> {
    const operation = { operation: 'write', path: parsePath(path), value, mode: 'replace' } as const;
    const written = harness.engine.perform('lamp-1', operation, { user });
    (await device.expectRequest()).reply(CoapCode.Changed);
    await harness.settled(written);
  }

  async function report(path: string, payload: string, contentFormat = 0): Promise<void> {
    await harness.perform(
      device,
      { operation: 'read', paths: [parsePath(path)] },
      { code: CoapCode.Content, options: { contentFormat }, payload },
    );
  }

  function said(): DeviceEvent[] {
    return [...harness.eventsOf('mismatch'), ...harness.eventsOf('matched')];
  }

  function valueOf(path: string): ValueView | undefined {
    return harness.engine.devices({ endpoint: 'lamp-1' })[0]?.values[path];
  }

  it('is said once, when it has lasted, and shown with the value', async () => {
    await command(ON, true, 'ann');
    const commanded = { value: true, at: clock.now(), by: 'ann' };
    await clock.advance(60_000);
    await report(ON, '0');
    const reported = { value: false, at: clock.now() };
    await clock.advance(9_000);
    assert.deepEqual(said(), []);
    assert.deepEqual(valueOf(ON), { commanded, reported });
    await clock.advance(1_000);
    const payload = { endpoint: 'lamp-1', path: ON, commanded, reported };
    assert.deepEqual(said(), [{ topic: 'mismatch', endpoint: 'lamp-1', payload }]);
    assert.deepEqual(valueOf(ON), { commanded, reported, mismatch: true });
    await report(ON, '0');
    await clock.advance(60_000);
    assert.equal(said().length, 1);
  });

  it('is over when the device matches again, which is said too', async () => {
    await command(ON, true);
    await report(ON, '0');
    await clock.advance(10_000);
    await report(ON, '1');
    assert.deepEqual(
      harness.eventsOf('matched').map(({ payload }) => payload.reported.value),
      [true],
    );
    assert.equal(valueOf(ON)?.mismatch, undefined);
    await report(ON, '1');
    await report(ON, '0');
    await clock.advance(10_000);
    assert.deepEqual(harness.topics().slice(1), ['mismatch', 'matched', 'mismatch']);
  });

  it('is none while the device is on its way to the value', async () => {
    await command(DIMMER, 100);
    for (const percent of ['0', '40', '80', '100']) {
      await report(DIMMER, percent);
      await clock.advance(3_000);
    }
    await clock.advance(60_000);
    assert.deepEqual(said(), []);
  });

  it('is none when the value is older than the command', async () => {
    await report(ON, '0');
    await clock.advance(1);
    await command(ON, true);
    await clock.advance(1_000);
    await report(ON, JSON.stringify([{ bn: ON, bt: clock.now() / 1000 - 60, vb: false }]), 110);
    await clock.advance(60_000);
    assert.deepEqual(said(), []);
  });

  it('is none when the device told the new value before it answered the command', async () => {
    await command(ON, true);
    await report(ON, '1');
    await clock.advance(60_000);
    await report(ON, '0');
    await command(ON, false);
    await clock.advance(60_000);
    assert.deepEqual(said(), []);
  });

  it('is said anew of a new command, and matched when that is followed', async () => {
    const began = clock.now();
    await command(ON, true);
    await report(ON, '0');
    await clock.advance(10_000);
    await command(ON, true);
    assert.equal(valueOf(ON)?.mismatch, true, 'nobody knows better yet');
    await clock.advance(60_000);
    await report(ON, '0');
    await clock.advance(10_000);
    assert.deepEqual(
      harness.eventsOf('mismatch').map(({ payload }) => payload.commanded.at - began),
      [0, 10_000],
    );
    await command(ON, false);
    assert.deepEqual(harness.eventsOf('matched'), [], 'what it reported was before the command');
    await report(ON, '0');
    assert.equal(harness.eventsOf('matched').length, 1);
  });

  it('is none of a number that a device holds in single precision, and one of any other', async () => {
    await command('/3308/0/5900', 21.3);
    await report('/3308/0/5900', String(Math.fround(21.3)));
    await clock.advance(60_000);
    assert.deepEqual(said(), []);
    await report('/3308/0/5900', '21.31');
    await clock.advance(10_000);
    assert.equal(said().length, 1);
  });

  it('is none of clocks and counters, which go on by themselves', async () => {
    await command('/3311/0/5852', 0);
    await clock.advance(60_000);
    await report('/3311/0/5852', '60');
    await command('/3/0/13', 1_700_000_000);
    await report('/3/0/13', '1700000060');
    await clock.advance(60_000);
    assert.deepEqual(said(), []);
  });

  it('lasts as long as the engine is told', async () => {
    await harness.close();
    await start({ mismatchGrace: 60 });
    await command(ON, true);
    await report(ON, '0');
    await clock.advance(59_000);
    assert.deepEqual(said(), []);
    await clock.advance(1_000);
    assert.equal(said().length, 1);
  });

  it('is remembered after a restart', async () => {
    await command(ON, true);
    await report(ON, '0');
    await clock.advance(10_000);
    await harness.close();
    harness = await Harness.start({ clock, store });
    assert.equal(valueOf(ON)?.mismatch, true);
    device = await harness.registered({ endpoint: 'lamp-1', links: LINKS }, '192.0.2.77:1');
    await report(ON, '0');
    await clock.advance(60_000);
    await report(ON, '1');
    assert.deepEqual(harness.topics(), ['registered', 'matched']);
  });

  it('of a device that is forgotten is not said', async () => {
    await harness.engine.provision({ endpoint: 'lamp-1' });
    await command(ON, true);
    await report(ON, '0');
    await harness.engine.unprovision('lamp-1');
    await clock.advance(60_000);
    assert.deepEqual(said(), []);
  });
});
