import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseDdf } from '../../src/model';
import { car } from '../../src/simulator/behaviours/car';
import { ENGINE_CONTROL } from '../../src/simulator/behaviours/engine-control';
import { live, type Life } from './life';

const SPEED = '/6/0/6';
const RUNNING = '/42769/0/0';
const STOP = '/42769/0/1';
const RELEASE = '/42769/0/2';
const BLOCKED = '/42769/0/3';
const ALARM = '/3200/0/5500';
const HORN = '/3338/0/5850';

/** m between two places that are near each other. */
function distance(from: readonly [number, number], to: readonly [number, number]): number {
  const north = (to[0] - from[0]) * 111_200;
  return Math.hypot(north, (to[1] - from[1]) * 111_200 * Math.cos((from[0] * Math.PI) / 180));
}

describe('A simulated car', () => {
  let ride: Life;

  beforeEach(() => {
    ride = live(car, { endpoint: 'car-1' });
  });

  const place = (): [number, number] => [ride.number('/6/0/0'), ride.number('/6/0/1')];

  const driveOff = async () => {
    ride.device.control('drive');
    await ride.clock.advance(10_000);
    assert.ok(ride.number(SPEED) >= 8);
  };

  it('drives, waits and parks, and is where its speed has brought it', async () => {
    const seen = { driving: 0, waiting: 0, parked: 0 };
    let before = place();
    for (let second = 0; second < 3_000; second += 1) {
      await ride.clock.advance(1_000);
      const speed = ride.number(SPEED);
      assert.ok(speed >= 0 && speed <= 14.5, String(speed));
      const now = place();
      assert.ok(
        Math.abs(distance(before, now) - speed) < 2.5,
        `${distance(before, now)} m in a second at ${speed} m/s`,
      );
      before = now;
      if (speed > 0) seen.driving += 1;
      else if (ride.read(RUNNING) === true) seen.waiting += 1;
      else seen.parked += 1;
    }
    assert.ok(seen.driving > 300 && seen.waiting > 30 && seen.parked > 30, JSON.stringify(seen));
  });

  it('says when it was where', async () => {
    await ride.clock.advance(12_400);
    assert.deepEqual(ride.read('/6/0/5'), new Date(Math.floor(ride.clock.now() / 1000) * 1000));
  });

  it('obeys a stop of its engine at any speed, rolls out, and reports how fast it was', async () => {
    await driveOff();
    const speed = ride.number(SPEED);
    ride.execute(STOP);
    assert.deepEqual([ride.read(RUNNING), ride.read(BLOCKED), ride.read('/42769/0/4')], [false, true, speed]);
    assert.deepEqual(ride.read('/42769/0/5'), new Date(ride.clock.now()));
    await ride.clock.advance(2_000);
    assert.ok(ride.number(SPEED) > 0 && ride.number(SPEED) < speed, 'it rolls');
    await ride.clock.advance(10_000);
    assert.equal(ride.number(SPEED), 0);
    const there = place();
    await ride.clock.advance(600_000);
    assert.deepEqual(place(), there, 'nobody can drive it');
  });

  it('drives again when its engine is released', async () => {
    ride.execute(STOP);
    ride.device.control('drive');
    await ride.clock.advance(10_000);
    assert.equal(ride.number(SPEED), 0);
    ride.execute(RELEASE);
    assert.equal(ride.read(BLOCKED), false);
    await driveOff();
    assert.equal(ride.read(RUNNING), true);
  });

  it('stands where it is parked until it is driven', async () => {
    await driveOff();
    ride.device.control('park');
    await ride.clock.advance(3_600_000);
    assert.deepEqual([ride.number(SPEED), ride.read(RUNNING)], [0, false]);
    await driveOff();
  });

  it('raises its alarm, sounds its horn, and is quiet after half a minute or when it is silenced', async () => {
    assert.equal(ride.read(ALARM), false);
    ride.device.control('alarm');
    assert.deepEqual([ride.read(ALARM), ride.read(HORN), ride.read('/3200/0/5501')], [true, true, 1]);
    ride.write(HORN, false);
    await ride.clock.advance(10_000);
    assert.deepEqual([ride.read(ALARM), ride.read(HORN)], [true, false]);
    ride.device.control('alarm');
    assert.equal(ride.read('/3200/0/5501'), 1, 'one shock');
    await ride.clock.advance(29_000);
    assert.equal(ride.read(ALARM), true);
    await ride.clock.advance(1_000);
    assert.deepEqual([ride.read(ALARM), ride.read(HORN)], [false, false]);
    ride.device.control('alarm');
    assert.equal(ride.read('/3200/0/5501'), 2);
  });

  it('has the engine that the DDF file of the examples describes', () => {
    const file = path.resolve(__dirname, '../../examples/engine-control.xml');
    assert.deepEqual(parseDdf(readFileSync(file, 'utf8'), file), [ENGINE_CONTROL]);
  });
});
