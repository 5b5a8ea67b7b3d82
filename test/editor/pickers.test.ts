import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import type { Browser } from 'playwright-core';
import { CoapCode, encodeMessage, MessageType } from '../../src/coap';
import { browserIsMissing, Editor, startBrowser } from '../support/editor';
import { NodeRedProcess, type Flow } from '../support/node-red-process';
import { freeUdpPort } from '../support/free-udp-port';

const DEVICES = 5000;
/** The promise of a dialog with so many devices, ms. */
const SOON = 300;

/** Registers many devices from one address, a few at a time, as fast as the server answers. */
async function registerMany(port: number, count: number): Promise<void> {
  const socket = dgram.createSocket('udp4');
  const open = new Set<number>();
  let next = 1;
  // As a device does (RFC 7252 s4.2): a datagram may be lost when the server has just begun.
  const repeat = setInterval(() => open.forEach(send), 2_000);
  const done = new Promise<void>((resolve, reject) => {
    const more = (): void => {
      while (open.size < 50 && next <= count) send(next++);
      if (open.size === 0) resolve();
    };
    socket.on('message', (datagram) => {
      if (datagram[1] !== CoapCode.Created) reject(new Error(`the server answered ${datagram.toString('hex')}`));
      open.delete(datagram.readUInt16BE(2));
      more();
    });
    socket.on('error', reject);
    more();
  });
  await done;
  clearInterval(repeat);
  socket.close();

  function send(number: number): void {
    open.add(number);
    const endpoint = `lamp-${String(number).padStart(4, '0')}`;
    const datagram = encodeMessage({
      type: MessageType.CON,
      code: CoapCode.POST,
      messageId: number,
      token: Buffer.from([number >> 8, number & 0xff]),
      options: {
        uriPath: ['rd'],
        contentFormat: 40,
        uriQuery: [`ep=${endpoint}`, 'lt=3600', 'lwm2m=1.1', 'b=U'],
      },
      payload: Buffer.from('</>;rt="oma.lwm2m",</1/0>,</3/0>,</3311/0>,</3311/7>'),
    });
    socket.send(datagram, port, '127.0.0.1');
  }
}

describe('the pickers of the dialogs', function () {
  this.timeout(60_000);
  let nodeRed: NodeRedProcess;
  let browser: Browser;
  let editor: Editor;
  let id = '';

  before(async function () {
    if (browserIsMissing()) this.skip();
    const port = await freeUdpPort();
    const server = {
      id: 'server-1',
      type: 'lwm2m-server',
      name: 'City',
      host: '127.0.0.1',
      coapPort: port,
      coapsPort: '',
    } satisfies Flow;
    const flows = [{ id: 'tab', type: 'tab', label: 'Flow' }, server];
    // Below a path of its own, as behind a proxy: every request of the editor must be relative.
    nodeRed = await NodeRedProcess.start({ flows, httpAdminRoot: '/admin/' });
    await registerMany(port, DEVICES);
    browser = await startBrowser();
    editor = await Editor.open(browser, nodeRed);
    id = await editor.drag('lwm2m-read', 300, 100);
  });

  after(async () => {
    await browser?.close();
    await nodeRed?.stop();
  });

  beforeEach(async () => {
    await editor.openDialog(id);
    await editor.select('server', 'server-1');
  });

  afterEach(async () => {
    const cancel = editor.page.locator('#node-dialog-cancel');
    if (await cancel.isVisible()) await cancel.click();
    await editor.page.waitForSelector('.red-ui-tray', { state: 'detached' });
    assert.deepEqual(editor.complaints.splice(0), []);
  });

  const options = () => editor.page.locator('.lwm2m-suggestions [role=option]');
  const note = () => editor.page.locator('.lwm2m-suggestions [role=status]');

  it(`open in less than ${SOON} ms with ${DEVICES} devices`, async () => {
    const times: number[] = [];
    for (let time = 0; time < 3; time++) {
      await editor.page.locator('#node-dialog-cancel').click();
      await editor.page.waitForSelector('.red-ui-tray', { state: 'detached' });
      times.push(await editor.openDialog(id));
    }
    // The best of three: what else the machine does is not the dialog's.
    assert.ok(Math.min(...times) < SOON, `it took ${times.join(', ')} ms`);
  });

  it('offer a few of the devices, and say that there are more', async () => {
    await editor.field('target').click();
    await options().first().waitFor();
    assert.equal(await options().count(), 20);
    assert.match((await note().textContent()) ?? '', /more/);
    await editor.screenshot('picker-devices');
  });

  it('find a device by a part of its name, and take it by the keyboard', async () => {
    await editor.field('target').fill('p-421');
    await editor.page.waitForFunction(
      () => document.querySelectorAll('.lwm2m-suggestions [role=option]').length === 10,
    );
    const input = editor.field('target');
    assert.equal(await input.getAttribute('aria-expanded'), 'true');
    await input.press('ArrowDown');
    await input.press('ArrowDown');
    const active = await input.getAttribute('aria-activedescendant');
    assert.equal(await editor.page.locator(`#${active}`).getAttribute('aria-selected'), 'true');
    await input.press('Enter');
    assert.equal(await input.inputValue(), 'lamp-4211');
    assert.equal(await input.getAttribute('aria-expanded'), 'false');
  });

  it('leave what was typed alone, though it is the beginning of other names', async () => {
    const input = editor.field('target');
    await input.fill('lamp-1');
    await options().first().waitFor();
    await input.press('Tab');
    assert.equal(await input.inputValue(), 'lamp-1');
    await editor.field('target').fill('lamp-1');
    await options().first().waitFor();
    await input.press('Enter');
    assert.equal(await input.inputValue(), 'lamp-1');
  });

  it('close their list with Escape and keep the dialog', async () => {
    await editor.field('target').click();
    await options().first().waitFor();
    await editor.field('target').press('Escape');
    assert.equal(await options().count(), 0);
    assert.equal(await editor.page.locator('#node-dialog-ok').isVisible(), true);
  });

  it('keep a name that nobody has, and say so', async () => {
    await editor.field('target').fill('heater-9');
    await note().waitFor();
    assert.match((await note().textContent()) ?? '', /kept as typed/);
    await editor.field('target').blur();
    assert.equal(await editor.field('target').inputValue(), 'heater-9');
  });

  it('say that a server is missing', async () => {
    await editor.page.locator('select#node-input-server').selectOption('_ADD_');
    await editor.field('target').click();
    await note().waitFor();
    assert.match((await note().textContent()) ?? '', /Choose a server/);
  });

  it('say that a server must be deployed first', async () => {
    await editor.page.locator('#node-input-btn-server-add').click();
    await editor.settled();
    await editor.page.locator('#node-config-input-coapPort').fill('');
    await editor.page.locator('#node-config-input-coapsPort').fill('');
    await editor.page.locator('#node-config-dialog-ok').click();
    await editor.page.locator('#node-dialog-ok').waitFor();
    const loading = editor.page.waitForResponse((response) => response.status() === 404);
    await editor.field('target').click();
    await loading;
    await note().waitFor();
    assert.match((await note().textContent()) ?? '', /Deploy first/);
    // The browser itself logs the 404 that this answer is.
    editor.complaints.splice(0);
  });

  it('suggest paths by the names of objects and resources', async () => {
    await editor.field('path').fill('light con');
    await options().first().waitFor();
    assert.match((await options().first().textContent()) ?? '', /^\/3311Light Control/);
    await editor.field('path').fill('/3311/0/dim');
    await editor.page.waitForFunction(() =>
      /5851/.test(document.querySelector('.lwm2m-suggestions [role=option]')?.textContent ?? ''),
    );
    await editor.field('path').press('ArrowDown');
    await editor.field('path').press('Enter');
    assert.equal(await editor.field('path').inputValue(), '/3311/0/5851');
  });

  it('say what a path means', async () => {
    await editor.field('path').fill('/3311/0/5851');
    await editor.field('path').blur();
    const meaning = editor.page.locator('.lwm2m-path-meaning');
    await meaning.locator('div').first().waitFor();
    assert.match(await meaning.innerText(), /^Light Control › 0 › Dimmer \(integer, 0\.\.100, (%|\/100), RW\)$/);
  });

  it('browse objects, instances and resources, those of the device first', async () => {
    await editor.field('target').fill('lamp-0001');
    await editor.field('target').blur();
    await editor.page
      .locator('#node-input-path + .red-ui-typedInput-container .red-ui-typedInput-option-expand')
      .click();
    const browser = editor.page.locator('.lwm2m-browser');
    const labels = browser.locator('.red-ui-treeList-label');
    await labels.first().waitFor();
    assert.match((await labels.nth(2).textContent()) ?? '', /Light Control/);
    await labels.nth(2).click();
    await browser.getByText('Instance 7').click();
    await browser.locator('.red-ui-treeList-label:visible', { hasText: /^On\/Off\/3311/ }).click();
    assert.match((await browser.locator('.lwm2m-browser-detail').textContent()) ?? '', /On\/Off \(boolean, RW\)/);
    await editor.screenshot('browser');
    await browser.locator('.lwm2m-browser-use').click();
    assert.equal(await editor.field('path').inputValue(), '/3311/7/5850');
    assert.equal(await browser.count(), 0);
  });

  it('search the objects, and add a path to those there are', async () => {
    await editor.field('path').fill('/3311/0/5850');
    await editor.field('path').blur();
    await editor.page
      .locator('#node-input-path + .red-ui-typedInput-container .red-ui-typedInput-option-expand')
      .click();
    const browser = editor.page.locator('.lwm2m-browser');
    await browser.locator('input[type=search]').fill('illuminance');
    await browser.locator('.red-ui-treeList-label:visible').first().click();
    await browser.locator('.lwm2m-browser-add').click();
    await browser.locator('input[type=search]').press('Escape');
    assert.equal(await editor.field('path').inputValue(), '/3311/0/5850 /3301');
    assert.equal(await editor.page.locator('#node-dialog-ok').isVisible(), true);
  });
});
