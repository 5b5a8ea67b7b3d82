import assert from 'node:assert/strict';
import type { Browser } from 'playwright-core';
import { City, type CityPage } from '../support/city';
import { browserIsMissing, startBrowser } from '../support/editor';

const ON = '/3311/0/5850';
const DIMMER = '/3311/0/5851';

const lampsOf = (street: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `lamp-${street}-${index + 1}`);
const MAIN = lampsOf('main', 12);
const PARK = lampsOf('park', 8);
const LAMPS = [...MAIN, ...PARK];

const same = (count: number, value: unknown): unknown[] => Array.from({ length: count }, () => value);

describe('the page of the street lights', function () {
  this.timeout(60_000);
  let city: City;
  let browser: Browser;
  let page: CityPage;

  before(async function () {
    if (browserIsMissing()) this.skip();
    [city, browser] = await Promise.all([City.start({ pages: ['street-lights'], lifetime: 3 }), startBrowser()]);
    await city.told('lights-known', (value) => (value as { group: string }).group === 'park-lane');
    page = await city.open(browser, 'street-lights');
  });

  after(async () => {
    await browser?.close();
    await city?.stop();
  });

  afterEach(() => assert.deepEqual([...page.complaints, ...city.errors], []));

  /** Waits until the page shows what the lamp says. */
  async function shows(lamp: string, text: string | RegExp): Promise<void> {
    await page.page.locator(`[data-lamp=${lamp}]`, { hasText: text }).waitFor();
  }

  it('shows each lamp of two streets, and that they are off', async () => {
    await page.see('20 off');
    assert.equal(await page.page.locator('[data-lamp]').count(), LAMPS.length);
    assert.deepEqual(await page.page.locator('h3').allTextContents(), ['Main Street', 'Park Lane']);
  });

  it('switches one lamp, and no other', async () => {
    await page.press(/^lamp-main-3, off/);
    await page.notice('1 of 1 lamps obeyed.');
    const main = await city.values(MAIN, ON);
    assert.deepEqual(
      MAIN.filter((_, index) => main[index] === true),
      ['lamp-main-3'],
    );
    await shows('lamp-main-3', 'on, 100 %');
    await page.press(/^lamp-main-3, on/);
    await page.notice('1 of 1 lamps obeyed.');
    assert.deepEqual(await city.values(['lamp-main-3'], ON), [false]);
  });

  it('switches a street', async () => {
    await page.press('Main Street on');
    await page.notice('12 of 12 lamps obeyed.');
    assert.deepEqual(await city.values(MAIN, ON), same(12, true));
    assert.deepEqual(await city.values(PARK, ON), same(8, false));
  });

  it('refuses a guest, whose order reaches no lamp', async () => {
    await page.choose('I am', /Gus/);
    await page.press('Park Lane on');
    await page.notice('Refused: gus may not do this on 8 of 8 lamps.');
    assert.deepEqual(await city.values(PARK, ON), same(8, false));
    await page.see('refused: no right');
    await page.screenshot('street-lights-refused');
    await page.choose('I am', /Lena/);
  });

  it('switches all lamps, and dims them', async () => {
    await page.press('All on');
    await page.notice('20 of 20 lamps obeyed.');
    assert.deepEqual(await city.values(LAMPS, ON), same(20, true));
    await page.page.getByRole('slider').focus();
    await page.page.keyboard.press('PageDown');
    await page.notice('20 of 20 lamps obeyed.');
    const [dimmed] = await city.values(LAMPS, DIMMER);
    assert.ok(typeof dimmed === 'number' && dimmed < 100);
    assert.deepEqual(await city.values(LAMPS, DIMMER), same(20, dimmed));
    await shows('lamp-park-8', `on, ${dimmed} %`);
  });

  it('shows that a lamp has lost its power, and that it is back', async () => {
    await city.happen('lamp-park-5', 'vanish');
    await shows('lamp-park-5', 'not reachable');
    await page.see('1 not reachable');
    await page.screenshot('street-lights');
    await city.happen('lamp-park-5', 'return');
    await shows('lamp-park-5', 'on,');
  });

  it('fits a telephone', async () => {
    const phone = await city.open(browser, 'street-lights', { phone: true, dark: true });
    await phone.see('20 on');
    assert.equal(await phone.overflow(), 0);
    await phone.press('All off');
    await phone.notice('20 of 20 lamps obeyed.');
    assert.deepEqual(await city.values(LAMPS, ON), same(20, false));
    await phone.see('20 off');
    await phone.screenshot('street-lights-phone');
    assert.deepEqual(phone.complaints, []);
    await phone.close();
  });
});
