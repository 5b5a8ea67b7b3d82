import assert from 'node:assert/strict';
import type { Browser } from 'playwright-core';
import { City, type CityPage } from '../support/city';
import { browserIsMissing, startBrowser } from '../support/editor';

const CAR = 'car-1';
const LATITUDE = '/6/0/0';
const SPEED = '/6/0/6';
const ALARMS = '/3200/0/5501';
const HORN = '/3338/0/5850';
const BLOCKED = '/42769/0/3';
const SPEED_AT_STOP = '/42769/0/4';

describe('the page of the car', function () {
  this.timeout(60_000);
  let city: City;
  let browser: Browser;
  let page: CityPage;
  /** Somebody else's browser. */
  let other: CityPage;

  before(async function () {
    if (browserIsMissing()) this.skip();
    [city, browser] = await Promise.all([City.start({ pages: ['car'], lifetime: 3 }), startBrowser()]);
    await city.told('car-known');
    [page, other] = await Promise.all([city.open(browser, 'car'), city.open(browser, 'car')]);
  });

  after(async () => {
    await browser?.close();
    await city?.stop();
  });

  afterEach(() => assert.deepEqual([...page.complaints, ...other.complaints, ...city.errors], []));

  async function figure(name: string, text: string | RegExp, on: CityPage = page): Promise<string> {
    const found = on.page.locator(`[data-figure=${name}]`, { hasText: text });
    await found.waitFor();
    return (await found.textContent()) ?? '';
  }

  async function party(role: string, name: string): Promise<void> {
    await page.page.locator(`[data-party=${role}] dd`, { hasText: name }).first().waitFor();
  }

  async function caseHolds(number: number): Promise<void> {
    await page.page.locator(`[data-case="${number}"] [aria-pressed=true]`).waitFor();
  }

  async function park(): Promise<void> {
    await city.happen(CAR, 'park');
    await figure('speed', 'it stands');
  }

  const isBlocked = async (): Promise<unknown> => (await city.device(CAR))[BLOCKED];

  it('shows Peter where his car is, as the car itself says it', async () => {
    await park();
    const { [LATITUDE]: latitude, [SPEED]: speed } = await city.device(CAR);
    assert.equal(speed, 0);
    await figure('place', `The car is at ${Number(latitude).toFixed(4)}° N`);
    await figure('engine', 'Off');
    await figure('connection', /^Connected, last heard/);
    await caseHolds(1);
  });

  it('shows a guest nothing: not even his browser is told', async () => {
    const opened = other.page.waitForEvent('websocket');
    await other.page.reload();
    const socket = await opened;
    const told: string[] = [];
    socket.on('framereceived', ({ payload }) => told.push(String(payload)));
    await socket.waitForEvent('framereceived', isViewOf('peter'));
    await other.choose('I am', /Gus/);
    await figure('place', 'Nothing of this car is shown to Gus.', other);
    const before = told.length;
    for (let views = 0; views < 3; views += 1) await socket.waitForEvent('framereceived', isViewOf('gus'));
    const sinceThen = told.slice(before);
    assert.ok(sinceThen.length >= 3);
    for (const secret of ['latitude', 'blocked', 'subscriber', 'peter']) {
      assert.ok(!sinceThen.some((frame) => frame.includes(secret)), secret);
    }
    assert.ok(
      told.slice(0, before).some((frame) => frame.includes('latitude')),
      'as Peter it was told',
    );
  });

  it('refuses what a guest orders, and the car hears nothing of it', async () => {
    await other.press('Stop the engine');
    await other.notice('Refused: Gus may not stop the engine.');
    await other.press('4 Tom’s weekend');
    await other.notice('Refused: Gus may not lend this.');
    await other.see('refused: no right');
    await other.screenshot('car-refused');
    assert.equal(await isBlocked(), false);
  });

  it('does not stop the engine of a car that moves', async () => {
    await city.happen(CAR, 'drive');
    await figure('speed', /[1-9]\d* km\/h/);
    await page.press('Stop the engine');
    await page.notice('Refused: the car moves.');
    assert.equal(await isBlocked(), false);
    await page.see('refused: the car moved');
    await figure('speed', /to the (north|east|south|west)/);
    await page.screenshot('car');
  });

  it('lets Peter lend it: Tom stops the engine, and Peter’s own rights rest', async () => {
    await park();
    await page.choose('When', 'The next 2 minutes');
    await page.press('Lend to Tom');
    await page.notice('Lent: Tom sees where it is, stops and releases the engine, until');
    await figure('place', 'The car is lent to Tom. Meanwhile your own rights rest until');
    await party('user', 'Tom');
    await caseHolds(4);
    await page.press('Stop the engine');
    await page.notice('Refused: Peter may not stop the engine. The car is lent;');
    assert.equal(await isBlocked(), false);
    await page.see(/ends in (1 min )?\d+ s/, '[data-grant=tom]');
    await page.screenshot('car-lent');

    await other.choose('I am', /Tom/);
    await figure('place', 'The car is at', other);
    await other.press('Horn');
    await other.notice('Refused: Tom may not sound the horn.');
    await other.press('Stop the engine');
    await other.notice('The engine is stopped');
    const { [BLOCKED]: blocked, [SPEED_AT_STOP]: speed, [HORN]: horn } = await city.device(CAR);
    assert.deepEqual([blocked, speed, horn], [true, 0, false]);
    await figure('engine', 'Blocked', other);
  });

  it('gives all back when Peter takes it back', async () => {
    await page.press('Take back what Tom was lent');
    await page.notice('Taken back.');
    await figure('place', 'The car is at');
    await party('user', 'Peter');
    await figure('place', 'Nothing of this car is shown to Tom.', other);
    await other.press('Release the engine');
    await other.notice('Refused: Tom may not release the engine.');
    assert.equal(await isBlocked(), true);
    await page.press('Release the engine');
    await page.notice('The engine is released');
    assert.equal(await isBlocked(), false);
  });

  it('gives all back by itself when the time is over', async () => {
    await page.choose('When', /Other times/);
    await page.page.getByLabel('Until').fill(localTime(Date.now() + 7_000));
    await page.press('Lend to Tom');
    await page.notice('Lent: Tom');
    await figure('place', 'The car is lent to Tom.');
    await figure('place', 'The car is at', other);
    await figure('place', 'Nothing of this car is shown to Tom.', other);
    await figure('place', 'The car is at');
    await page.page.locator('[data-grant]').waitFor({ state: 'detached' });
    await party('user', 'Peter');
  });

  it('does what a service desk wants only when Peter agrees', async () => {
    await other.choose('I am', /FleetCo/);
    await figure('place', 'Where the car is, is not for you to see.', other);
    await figure('engine', 'Off', other);
    await other.press('Stop the engine');
    await other.notice('for Peter, or who has the car, to agree.');
    await other.see('Waits for a second person');
    await page.see('FleetCo wants to stop the engine.');
    assert.equal(await isBlocked(), false);
    await page.press('I agree');
    await Promise.all([page.notice('The engine is stopped'), other.notice('The engine is stopped')]);
    assert.equal(await isBlocked(), true);
    await page.press('Release the engine');
    await page.notice('The engine is released');
  });

  it('tells an alarm, and resets it', async () => {
    await city.happen(CAR, 'alarm');
    await page.see('Somebody is at the car. The horn sounds.', '[role=alert]');
    assert.equal((await city.device(CAR))[ALARMS], 1);
    await page.press('Reset the alarm');
    await page.notice('The alarm is reset.');
    await page.press('Horn off');
    await page.notice('The horn is silent.');
    const { [ALARMS]: alarms, [HORN]: horn } = await city.device(CAR);
    assert.deepEqual([alarms, horn], [0, false]);
  });

  it('takes it as normal that a telephone leaves, when there is no network contract', async () => {
    await page.press('2 Through Peter’s telephone');
    await page.notice('Refused: Peter may not change the contracts. The service desk of the provider does that');
    await other.press('2 Through Peter’s telephone');
    await other.notice('Nobody has a contract with the network now');
    await party('networkSubscriber', 'nobody');
    await caseHolds(2);
    await city.happen(CAR, 'vanish');
    await figure('connection', /^Not reachable since .*Its telephone is away; that is normal\./);
    await figure('place', 'Last known position');
    await page.press('Horn');
    await page.notice('The car is not reachable, and the order is not kept');
    await page.screenshot('car-away');
    // One that was away for a time is back at another address.
    await city.happen(CAR, 'vanish', { duration: '0.1' });
    await figure('connection', /^Connected/);
    await city.happen(CAR, 'drive');
    await figure('speed', /[1-9]\d* km\/h/);
    assert.equal((await city.device(CAR))[HORN], false);
  });

  it('says who has which contract, and whom to ask', async () => {
    await other.press('3 FleetCo pays the network');
    await other.notice('FleetCo has the contract with the network now.');
    await party('networkSubscriber', 'FleetCo');
    await caseHolds(3);
    await other.press('1 Peter pays the network');
    await other.notice('Peter has the contract with the network now.');
    await party('networkSubscriber', 'Peter');
    await caseHolds(1);
  });

  it('hands the car over to another provider, who begins anew', async () => {
    const registered = city.event(({ topic, endpoint }) => topic === 'registered' && endpoint === CAR);
    await other.press('5 To NetOperator');
    await other.notice('The car is NetOperator’s now.');
    await party('provider', 'NetOperator');
    await caseHolds(5);
    await figure('place', 'Nothing of this car is shown to FleetCo.', other);
    await registered;
    await figure('place', 'The car is at');
    await other.press('1 Peter pays the network');
    await other.notice('Refused: FleetCo may not change the contracts.');
    await other.choose('I am', /NetOperator/);
    await figure('engine', /Off|Runs/, other);
    await other.see('hand over to another provider', 'tbody');
    assert.equal(await other.page.locator('tbody', { hasText: 'lend the car' }).count(), 0, 'of the time before');
    assert.equal(await page.page.locator('tbody', { hasText: 'NetOperator' }).count(), 0);
  });

  it('fits a telephone', async () => {
    const phone = await city.open(browser, 'car', { phone: true, dark: true });
    await figure('place', 'The car is at', phone);
    assert.equal(await phone.overflow(), 0);
    await phone.screenshot('car-phone');
    assert.deepEqual(phone.complaints, []);
    await phone.close();
  });
});

/** What a `datetime-local` field takes. */
function localTime(at: number): string {
  const date = new Date(at);
  return new Date(at - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

/** Whether the server tells a page what this person may see. */
function isViewOf(user: string): (frame: { readonly payload: string | Buffer }) => boolean {
  return ({ payload }) => {
    const text = String(payload);
    return text.includes('"topic":"view"') && text.includes(`"user":"${user}"`);
  };
}
