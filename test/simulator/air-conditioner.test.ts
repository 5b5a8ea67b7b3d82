import assert from 'node:assert/strict';
import { airConditioner } from '../../src/simulator/behaviours/air-conditioner';
import { live, type Life } from './life';

const MINUTE = 60_000;
const TEMPERATURE = '/3303/0/5700';
const SET_POINT = '/3308/0/5900';
const ON = '/3306/0/5850';
const MODE = '/3306/0/5853';
const COOLS = '/3306/1/5850';
const POWER = '/3328/0/5700';
const ENERGY = '/3331/0/5700';

describe('A simulated air conditioner', () => {
  let room: Life;

  beforeEach(() => {
    room = live(airConditioner, { endpoint: 'ac-7' });
  });

  /** The temperatures of the next minutes. */
  const watch = async (minutes: number): Promise<number[]> => {
    const seen: number[] = [];
    for (let minute = 0; minute < minutes; minute += 1) {
      await room.clock.advance(MINUTE);
      seen.push(room.number(TEMPERATURE));
    }
    return seen;
  };

  it('holds its set point within the hysteresis, and switches its compressor for it', async () => {
    await watch(60);
    const goal = room.number(SET_POINT);
    const states = new Set<unknown>();
    for (let minute = 0; minute < 60; minute += 1) {
      const [degrees = NaN] = await watch(1);
      assert.ok(Math.abs(degrees - goal) <= 0.7, `${degrees} instead of ${goal}`);
      states.add(room.read(COOLS));
    }
    assert.deepEqual(states, new Set([true, false]));
  });

  it('follows a new set point', async () => {
    await watch(60);
    room.write(SET_POINT, 19);
    assert.equal(room.read(COOLS), true, 'it begins at once');
    const seen = await watch(60);
    assert.ok(Math.abs((seen.at(-1) ?? NaN) - 19) <= 0.7, String(seen.at(-1)));
    room.write(SET_POINT, 26);
    assert.equal(room.read(COOLS), false);
  });

  it('lets the room warm while it is off, and cools it again when it is on', async () => {
    await watch(60);
    room.write(ON, false);
    assert.equal(room.number(POWER), 3);
    const warmed = await watch(60);
    assert.ok((warmed.at(-1) ?? NaN) > room.number(SET_POINT) + 3);
    assert.ok(warmed.every((degrees, index) => index === 0 || degrees >= (warmed[index - 1] ?? NaN)));
    room.write(ON, true);
    assert.equal(room.number(POWER), 900);
    const cooled = await watch(30);
    assert.ok((cooled.at(-1) ?? NaN) < (warmed.at(-1) ?? NaN));
  });

  it('leaves the decision to others in its manual mode', async () => {
    room.write(MODE, 'manual');
    const cooled = await watch(120);
    assert.ok((cooled.at(-1) ?? NaN) < room.number(SET_POINT) - 5);
    assert.equal(room.read(COOLS), true);
    room.write(ON, false);
    assert.equal(room.read(COOLS), false);
  });

  it('counts what it uses, until that is reset', async () => {
    room.write(MODE, 'manual');
    const before = room.number(ENERGY);
    await room.clock.advance(60 * MINUTE);
    assert.equal(Math.round(room.number(ENERGY) - before), 900);
    assert.equal(room.read('/3306/1/5852'), 3600);
    room.execute('/3331/0/5822');
    assert.equal(room.number(ENERGY), 0);
  });

  it('lives the same whether it is looked at often or seldom', async () => {
    const seldom = live(airConditioner, { endpoint: 'ac-7' });
    await watch(90);
    await seldom.clock.advance(90 * MINUTE);
    for (const path of [TEMPERATURE, ENERGY, COOLS, '/3306/1/5852']) assert.equal(room.read(path), seldom.read(path));
    const other = live(airConditioner, { endpoint: 'ac-8' });
    assert.notEqual(other.number(TEMPERATURE), live(airConditioner, { endpoint: 'ac-7' }).number(TEMPERATURE));
  });

  it('feels an open window', async () => {
    await watch(60);
    room.device.control('openWindow');
    const [, , , , , open = NaN] = await watch(6);
    assert.ok(open > room.number(SET_POINT) + 0.7, String(open));
    room.device.control('closeWindow');
    const closed = await watch(30);
    assert.ok((closed.at(-1) ?? NaN) <= room.number(SET_POINT) + 0.7);
    assert.throws(() => room.device.control('fly'), {
      message: "ac-7 has no 'fly' (there is openWindow, closeWindow)",
    });
  });

  it('tells where it is, and refuses what makes no sense', () => {
    assert.equal(room.read('/3303/0/5750'), 'floor 2, room 203');
    assert.equal(live(airConditioner, { endpoint: 'ac-1' }).read('/3303/0/5750'), 'floor 1, room 101');
    assert.match(room.refusal(SET_POINT, 60) ?? '', /10 to 35/);
    assert.equal(room.refusal(SET_POINT, 21.5), undefined);
    assert.match(room.refusal(MODE, 'heat') ?? '', /auto or manual/);
    assert.match(room.refusal(COOLS, true) ?? '', /by the unit/);
  });
});
