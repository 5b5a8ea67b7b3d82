import assert from 'node:assert/strict';
import type { Value } from '../../src/model';
import type { ResourceInstances } from '../../src/simulator/device-objects';
import { SimulatedClock } from '../support/simulated-clock';
import { makeLamp } from './lamp';

const HOUR = 3_600_000;

/** A lamp without a network: its objects and the time. */
function livingLamp(options: { seed?: number; epoch?: number } = {}) {
  const clock = new SimulatedClock(options.epoch);
  const device = makeLamp('coap://127.0.0.1', clock, { seed: options.seed ?? 7 });
  const value = (objectId: number, resourceId: number) => {
    device.advance();
    return device.objects.find(objectId, 0, resourceId)?.value;
  };
  return {
    clock,
    device,
    light: (id: number) => value(3311, id),
    sensor: (id: number) => value(3301, id) as number,
    /** As a Write does it. */
    write(resourceId: number, to: Value | ResourceInstances) {
      device.advance();
      const resource = device.objects.find(3311, 0, resourceId);
      assert.ok(resource);
      resource.value = to;
      resource.setup.written?.(to);
    },
  };
}

describe('A simulated street light', () => {
  it('counts the seconds that it is on, and only those', async () => {
    const lamp = livingLamp();
    await lamp.clock.advance(10_000);
    assert.equal(lamp.light(5852), 0);
    lamp.write(5850, true);
    await lamp.clock.advance(90_500);
    assert.equal(lamp.light(5852), 90);
    lamp.write(5850, false);
    await lamp.clock.advance(60_000);
    assert.equal(lamp.light(5852), 90);
    lamp.write(5850, true);
    await lamp.clock.advance(500);
    assert.equal(lamp.light(5852), 91, 'halves of seconds are not lost');
  });

  it('starts to count anew when its on time is reset', async () => {
    const lamp = livingLamp();
    lamp.write(5850, true);
    await lamp.clock.advance(HOUR);
    lamp.write(5852, 0);
    await lamp.clock.advance(7_000);
    assert.equal(lamp.light(5852), 7);
  });

  it('draws power by its dimmer, and a little when it is off', async () => {
    const energyOfAnHour = async (on: boolean, dimmer: number) => {
      const lamp = livingLamp();
      lamp.write(5850, on);
      lamp.write(5851, dimmer);
      await lamp.clock.advance(HOUR);
      return lamp.light(5805) as number;
    };
    assert.equal(await energyOfAnHour(true, 100), 60);
    assert.equal(await energyOfAnHour(true, 50), 30);
    assert.equal(await energyOfAnHour(true, 1), 6);
    assert.equal(await energyOfAnHour(false, 100), 0.4);
  });

  it('counts the same whether it is looked at often or seldom', async () => {
    const often = livingLamp();
    const seldom = livingLamp();
    often.write(5850, true);
    seldom.write(5850, true);
    for (let second = 0; second < 600; second += 1) {
      await often.clock.advance(1_000);
      often.device.advance();
    }
    await seldom.clock.advance(600_000);
    assert.equal(often.light(5805), seldom.light(5805));
    assert.equal(often.light(5852), seldom.light(5852));
  });

  it('sees day, night and its own light', async () => {
    const lamp = livingLamp({ epoch: Date.UTC(2030, 0, 1, 0) });
    assert.ok(lamp.sensor(5700) < 1);
    lamp.write(5850, true);
    assert.equal(lamp.sensor(5700), 18.2);
    lamp.write(5851, 50);
    assert.equal(lamp.sensor(5700), 9.2);
    await lamp.clock.advance(9 * HOUR);
    const morning = lamp.sensor(5700);
    await lamp.clock.advance(3 * HOUR);
    const noon = lamp.sensor(5700);
    assert.ok(morning > 5_000 && noon > morning && noon < 13_000, `${morning} ${noon}`);
    assert.equal(lamp.sensor(5602), noon);
    assert.ok(lamp.sensor(5601) < 1);
    lamp.device.objects.find(3301, 0, 5605)?.setup.execute?.('');
    assert.equal(lamp.sensor(5601), noon);
  });

  it('lives the same life from the same seed, and another one from another', async () => {
    const measure = async (seed: number) => {
      const lamp = livingLamp({ seed, epoch: Date.UTC(2030, 5, 1, 10) });
      const values: number[] = [];
      for (let minute = 0; minute < 10; minute += 1) {
        await lamp.clock.advance(60_000);
        values.push(lamp.sensor(5700));
      }
      return values;
    };
    assert.deepEqual(await measure(1), await measure(1));
    assert.notDeepEqual(await measure(1), await measure(2));
  });
});
