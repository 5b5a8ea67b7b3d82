import assert from 'node:assert/strict';
import type { Browser } from 'playwright-core';
import { City, type CityPage, type SimulatedEvent } from '../support/city';
import { browserIsMissing, startBrowser } from '../support/editor';

const ON = '/3311/0/5850';
const DISABLE_TIMEOUT = '/1/0/5';

const named = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`);
const HOSPITAL = named('hospital-lamp-', 4);
const RING_ROAD = named('ring-lamp-', 8);
const GATE = 'yard-gate-1';
const YARD = named('yard-lamp-', 16);
const LOW = [GATE, ...YARD];

const same = (count: number, value: unknown): unknown[] => Array.from({ length: count }, () => value);

/** s: those of a return in turn that are so far apart must not come the other way round, however busy the machine is. */
const FAR_APART = 6;

describe('the page of the suspension', function () {
  this.timeout(60_000);
  let city: City;
  let browser: Browser;
  let page: CityPage;
  /** All that the simulated devices said they did. */
  let events: SimulatedEvent[];

  before(async function () {
    if (browserIsMissing()) this.skip();
    [city, browser] = await Promise.all([City.start({ pages: ['suspension'] }), startBrowser()]);
    await city.told('peak-known');
    page = await city.open(browser, 'suspension');
    events = [];
    void city.event((event) => events.push(event) < 0);
  });

  after(async () => {
    await browser?.close();
    await city?.stop();
  });

  afterEach(() => assert.deepEqual([...page.complaints, ...city.errors], []));

  const eventsOf = (topic: string, endpoints: readonly string[]): SimulatedEvent[] =>
    events.filter((event) => event.topic === topic && endpoints.includes(event.endpoint));

  const sentAway = (): string[] => events.filter(({ topic }) => topic === 'disabled').map(({ endpoint }) => endpoint);

  /** Waits until so many lamps look so. */
  async function look(count: number, wanted: 'online' | 'away' | 'back'): Promise<void> {
    await page.page.waitForFunction(([selector, many]) => document.querySelectorAll(selector).length === many, [
      `[data-look=${wanted}]`,
      count,
    ] as const);
  }

  async function figure(name: string, text: string | RegExp): Promise<void> {
    await page.page.locator(`[data-figure=${name}] dd`, { hasText: text }).first().waitFor();
  }

  /** Waits until the gauge shows so many messages a minute. */
  async function load(fits: (messages: number) => boolean): Promise<void> {
    const gauge = page.page.locator('#nrdb-ui-widget-peak-gauge .nrdb-ui-gauge-value span');
    for (;;) {
      const shown = (await gauge.textContent()) ?? '';
      if (shown !== '' && fits(Number(shown))) return;
      await gauge.filter({ hasNotText: new RegExp(`^${shown}$`) }).waitFor();
    }
  }

  async function forSeconds(duration: number, stagger: number): Promise<void> {
    await page.choose('For how long', /another time/);
    await page.page.getByLabel('Seconds away').fill(String(duration));
    await page.choose('They come back', /another time/);
    await page.page.getByLabel('Seconds from the first to the last').fill(String(stagger));
  }

  it('shows the lamps by their importance', async () => {
    await look(29, 'online');
    assert.deepEqual(await page.page.locator('.pk-place h3').allTextContents(), [
      'Hospital',
      'Ring road',
      'Railway yard',
      'Meanwhile',
    ]);
    await figure('away', '0');
  });

  it('refuses a guest, and no lamp is told anything', async () => {
    await page.choose('I am', /Gus/);
    await page.press('Suspend 17 lamps');
    await page.notice('Refused: Gus may not suspend these lamps. Nothing has changed.');
    await page.screenshot('suspension-refused');
    assert.deepEqual(await city.values(LOW, DISABLE_TIMEOUT), same(17, 86_400));
    assert.deepEqual(sentAway(), []);
    await page.choose('I am', /Ada/);
  });

  it('leaves the hospital alone, even when it is named', async () => {
    await page.choose('Which lamps', /Hospital/);
    await page.press('Suspend 4 lamps');
    await page.notice('4 lamps of high priority left alone.');
    assert.deepEqual(await city.values(HOSPITAL, DISABLE_TIMEOUT), same(4, 86_400));
    await page.choose('Which lamps', /^Low priority/);
  });

  it('shows the load rise when the visitors drive', async () => {
    await load((messages) => messages < 600);
    await page.page.getByText('A peak: 40 visitors').click();
    await load((messages) => messages > 700);
    const speeds = await city.values(named('visitor-', 40), '/6/0/6');
    assert.ok(speeds.some((speed) => Number(speed) > 0));
  });

  it('sends the lamps of low priority away, keeps orders for them, and welcomes them back in turn', async () => {
    await forSeconds(8, 14);
    await page.press('Suspend 17 lamps');
    await page.notice('17 lamps suspended; they go on with their work, and record.');
    await figure('away', '17');
    assert.deepEqual(sentAway().sort(), [...LOW].sort());
    const told = new Map(
      eventsOf('disabled', LOW).map(({ endpoint, payload }) => [endpoint, Number(payload['seconds'])]),
    );
    assert.equal(Math.min(...told.values()), 8);
    assert.equal(Math.max(...told.values()), 22);

    await page.press('Lena switches all lamps on');
    await page.page.locator('[data-note=obeyed]', { hasText: '12 of 29 obeyed, 17 orders wait' }).waitFor();
    await figure('waiting', '17');
    assert.deepEqual(await city.values([...HOSPITAL, ...RING_ROAD], ON), same(12, true));

    const refused = city.event(({ topic, endpoint }) => topic === 'failed' && endpoint === GATE);
    await page.press('Restart');
    assert.match(String((await refused).payload['message']), /5\.03/);
    await page.see('came early, sent away', `[data-lamp=${GATE}]`);
    await page.page.locator('#nrdb-ui-widget-peak-gauge').scrollIntoViewIfNeeded();
    await page.screenshot('suspension-away');

    await look(17, 'back');
    await page.notice('All lamps are back, and tell what they recorded while they were away.');
    const back = events.filter(({ topic, endpoint }) => topic === 'registered' && YARD.includes(endpoint));
    assert.deepEqual(back.map(({ endpoint }) => endpoint).sort(), [...YARD].sort());
    const inTurn = back.map(({ endpoint }) => told.get(endpoint) ?? NaN);
    for (const [index, seconds] of inTurn.entries()) {
      for (const later of inTurn.slice(index + 1)) assert.ok(later > seconds - FAR_APART, inTurn.join(' '));
    }
    await figure('waiting', '0');
    assert.deepEqual(await city.values(LOW, ON), same(17, true));
    await page.page.locator('[data-note=obeyed]', { hasText: '29 of 29 obeyed.' }).waitFor();
    await page.page.locator('[data-figure=back]', { hasText: /[1-9]\d* readings recorded/ }).waitFor();
    assert.deepEqual(eventsOf('deregistered', [...HOSPITAL, ...RING_ROAD]), []);
    await page.page.locator('[data-lamp=yard-lamp-16]').scrollIntoViewIfNeeded();
    await page.screenshot('suspension-back');
  });

  it('lets them in before their time, if they come', async () => {
    await page.choose('For how long', '2 hours');
    await page.press('Suspend 17 lamps');
    await look(17, 'away');
    await page.press('Let them in now');
    await page.notice('The door is open again. 17 lamps had been told how long to stay away');
    await page.press('Restart');
    await look(1, 'back');
    await figure('away', '16');
  });

  it('fits a telephone', async () => {
    const phone = await city.open(browser, 'suspension', { phone: true, dark: true });
    await phone.see('away until');
    assert.equal(await phone.overflow(), 0);
    await phone.page.locator('[data-place=yard] h3').scrollIntoViewIfNeeded();
    await phone.screenshot('suspension-phone');
    assert.deepEqual(phone.complaints, []);
    await phone.close();
  });
});
