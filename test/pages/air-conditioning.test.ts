import assert from 'node:assert/strict';
import type { Browser } from 'playwright-core';
import { City, type CityPage } from '../support/city';
import { browserIsMissing, startBrowser } from '../support/editor';

const TEMPERATURE = '/3303/0/5700';
const ON = '/3306/0/5850';
const COMPRESSOR = '/3306/1/5850';
const MODE = '/3306/0/5853';
const SET_POINT = '/3308/0/5900';
const ENERGY = '/3331/0/5700';

/** The four units of a floor. */
const unitsOf = (floor: number): string[] => [1, 2, 3, 4].map((number) => `ac-${4 * (floor - 1) + number}`);
const UNITS = [1, 2, 3].flatMap(unitsOf);

const same = (count: number, value: unknown): unknown[] => Array.from({ length: count }, () => value);
const sum = (values: readonly unknown[]): number => values.reduce<number>((all, value) => all + Number(value), 0);

describe('the page of the air conditioning', function () {
  this.timeout(60_000);
  let city: City;
  let browser: Browser;
  let page: CityPage;

  before(async function () {
    if (browserIsMissing()) this.skip();
    [city, browser] = await Promise.all([City.start({ pages: ['air-conditioning'], lifetime: 3 }), startBrowser()]);
    // The units of floor 2 have been told that the rule thinks for them.
    const told = unitsOf(2).map((unit) =>
      city.told('cooling-mode-did', (value) => (value as { endpoint: string }).endpoint === unit),
    );
    page = await city.open(browser, 'air-conditioning', { height: 1450 });
    await Promise.all(told);
  });

  after(async () => {
    await browser?.close();
    await city?.stop();
  });

  afterEach(() => assert.deepEqual([...page.complaints, ...city.errors], []));

  /** Waits until the page says this of a room. */
  async function shows(room: number, text: string | RegExp): Promise<void> {
    await page.page.locator(`[data-room="Room ${room}"]`, { hasText: text }).waitFor();
  }

  async function setPoints(units: readonly string[]): Promise<number[]> {
    return (await city.values(units, SET_POINT)).map(Number);
  }

  async function giveLimits(place: string, upper: number, lower: number): Promise<void> {
    await page.press(`${place} limits`);
    await page.page.getByLabel('Upper limit, °C').fill(String(upper));
    await page.page.getByLabel('Lower limit, °C').fill(String(lower));
    await page.press('Set the limits');
    await page.notice(new RegExp(`^\\s*Limits of ${place}: (1 of 1 room|4 of 4 rooms) obeyed`));
  }

  /** The unit is told to be on or off. Ask before it is caused. */
  function switched(unit: string, on: boolean): Promise<unknown> {
    return city.event(
      ({ topic, endpoint, payload }) =>
        topic === 'written' && endpoint === unit && payload['path'] === ON && payload['value'] === on,
    );
  }

  it('shows each room with its temperature and its set point, floor 2 with its rule', async () => {
    await shows(204, 'Cools above 25 °C, stops below 23 °C.');
    assert.equal(await page.page.locator('[data-room]').count(), UNITS.length);
    assert.deepEqual(await city.values(unitsOf(2), MODE), same(4, 'manual'));
    assert.deepEqual(await city.values(unitsOf(1), MODE), same(4, 'auto'));
    const [goal] = await setPoints(['ac-9']);
    await shows(301, `to ${goal} °C`);
    await shows(301, /\d\d\.\d °C/);
  });

  it('makes a room warmer, and no other', async () => {
    const before = await setPoints(UNITS);
    await page.press('Room 102 warmer');
    await page.press('Room 102 warmer');
    await page.notice(/Room 102 to .*: 1 of 1 room obeyed/);
    assert.deepEqual(
      await setPoints(UNITS),
      before.map((goal, index) => (index === 1 ? goal + 1 : goal)),
    );
  });

  it('gives a floor one set point, and then all floors that follow one', async () => {
    const [third] = await setPoints(['ac-9']);
    await page.press('Floor 1 colder');
    await page.notice(/Floor 1 to .*: 4 of 4 rooms obeyed/);
    const [goal] = await setPoints(['ac-1']);
    assert.deepEqual(await setPoints(unitsOf(1)), same(4, goal));
    assert.deepEqual(await setPoints(['ac-9']), [third]);
    await page.press('All rooms warmer');
    await page.notice(/The building to 22.5 °C: 8 of 8 rooms obeyed/);
    assert.deepEqual(await setPoints([...unitsOf(1), ...unitsOf(3)]), same(8, 22.5));
  });

  it('switches a floor off and on', async () => {
    for (const [button, on] of [
      ['Floor 1 off', false],
      ['Floor 1 on', true],
    ] as const) {
      await page.press(button);
      await page.notice(`${button}: 4 of 4 rooms obeyed.`);
      assert.deepEqual(await city.values(unitsOf(1), ON), same(4, on));
      await shows(104, on ? 'Turn off' : 'Turn on');
    }
  });

  it('lets a tenant set the temperature of her floor, and nothing else', async () => {
    await page.choose('I am', /Rita/);
    const before = await setPoints(UNITS);
    await page.press('Room 101 warmer');
    await page.notice('Refused: Rita may not do this in 1 room.');
    assert.deepEqual(await setPoints(UNITS), before);
    await page.press('Floor 3 warmer');
    await page.notice('Floor 3 to 23 °C: 4 of 4 rooms obeyed.');
    assert.deepEqual(await setPoints(unitsOf(3)), same(4, 23));
    await page.press('Room 301 off');
    await page.notice('Refused: Rita may not do this in 1 room.');
    assert.deepEqual(await city.values(['ac-9'], ON), [true]);
    await page.press('All rooms colder');
    await page.notice(/4 of 8 rooms obeyed; in 4 rooms Rita may not do this/);
    assert.deepEqual((await setPoints(unitsOf(1))).slice(0, 4), before.slice(0, 4));
    await page.screenshot('air-conditioning-tenant');
  });

  it('refuses a guest, and a tenant who wants to read all meters', async () => {
    await page.press('Read the meters now');
    await page.notice('Refused: Rita may not read the meters of 12 of 12 rooms.');
    await page.choose('I am', /Gus/);
    await page.press('All off');
    await page.notice('Refused: Gus may not do this in 12 rooms.');
    assert.deepEqual(await city.values(unitsOf(1), ON), same(4, true));
    await page.choose('I am', /Bruno/);
  });

  it('reads the meters when it is asked to', async () => {
    const least = sum(await city.values(UNITS, ENERGY));
    await page.press('Read the meters now');
    const text = await page.notice('12 of 12 meters read');
    const most = sum(await city.values(UNITS, ENERGY));
    const wattHours = 1000 * Number(/([\d.]+) kWh/.exec(text)?.[1]);
    assert.ok(most > 0 && wattHours >= least - 1 && wattHours <= most + 1, `${least} ≤ ${wattHours} ≤ ${most}`);
  });

  it('warns of a room that is beyond its limits', async () => {
    await giveLimits('Room 103', 15, 12);
    await shows(103, 'too warm');
    await page.see('1 beyond its limits');
    await giveLimits('Room 103', 40, 12);
    await shows(103, 'Warns above 40 °C and below 12 °C.');
  });

  it('switches the units of floor 2 by a rule with hysteresis', async () => {
    const off = switched('ac-7', false);
    await giveLimits('Room 203', 40, 35);
    await off;
    const { [ON]: isOn, [COMPRESSOR]: isRunning } = await city.device('ac-7');
    assert.deepEqual([isOn, isRunning], [false, false]);

    const on = switched('ac-7', true);
    await giveLimits('Room 203', 15, 12);
    await on;
    const running = await city.device('ac-7');
    assert.deepEqual([running[ON], running[COMPRESSOR]], [true, true]);
    assert.ok(Number(running[TEMPERATURE]) > 15);
    await shows(203, 'cooling');
  });

  it('leaves a unit off that somebody has switched off', async () => {
    await page.press('Room 203 off');
    await page.notice('Room 203 off: 1 of 1 room obeyed.');
    await shows(203, 'Off by Bruno: the rule leaves it off.');
    // The rule looks at them all: it switches the neighbour, which nobody has switched off.
    const off = switched('ac-8', false);
    await giveLimits('Floor 2', 40, 35);
    await off;
    await shows(204, 'Turn on');
    const on = switched('ac-8', true);
    await giveLimits('Floor 2', 15, 12);
    await on;
    assert.deepEqual(await city.values(['ac-7', 'ac-8'], ON), [false, true]);
    await giveLimits('Floor 2', 25, 23);
  });

  it('shows that a unit is gone, and that it is back', async () => {
    await city.happen('ac-12', 'vanish');
    await shows(304, 'not reachable');
    await page.see('1 not reachable');
    await page.screenshot('air-conditioning');
    await city.happen('ac-12', 'return');
    await shows(304, /cooling|off/);
  });

  it('fits a telephone', async () => {
    const phone = await city.open(browser, 'air-conditioning', { phone: true, dark: true });
    await phone.see('Room 304');
    assert.equal(await phone.overflow(), 0);
    await phone.press('Room 101 off');
    await phone.notice('Room 101 off: 1 of 1 room obeyed.');
    assert.deepEqual(await city.values(['ac-1'], ON), [false]);
    await phone.page.locator('[data-room="Room 101"]', { hasText: 'Turn on' }).waitFor();
    await phone.screenshot('air-conditioning-phone');
    assert.deepEqual(phone.complaints, []);
    await phone.close();
  });
});
