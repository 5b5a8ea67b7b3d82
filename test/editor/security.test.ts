import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import type { Browser } from 'playwright-core';
import { browserIsMissing, Editor, startBrowser } from '../support/editor';
import { NodeRedProcess } from '../support/node-red-process';
import { freeUdpPort } from '../support/free-udp-port';

const ID = 'server-1';
const HIDDEN = '__PWRD__';

describe('the security of a server, in its dialog', function () {
  this.timeout(60_000);
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  let nodeRed: NodeRedProcess;
  let browser: Browser;
  let editor: Editor;

  before(async function () {
    if (browserIsMissing()) this.skip();
    const coapsPort = await freeUdpPort();
    const server = { id: ID, type: 'lwm2m-server', name: 'City', host: '127.0.0.1', coapPort: '', coapsPort };
    const user = { id: 'read', type: 'lwm2m-read', z: 'tab', server: ID, x: 200, y: 80, wires: [[], []] };
    nodeRed = await NodeRedProcess.start({ flows: [{ id: 'tab', type: 'tab', label: 'Flow' }, server, user] });
    browser = await startBrowser();
    editor = await Editor.open(browser, nodeRed);
  });

  after(async () => {
    await browser?.close();
    await nodeRed?.stop();
  });

  afterEach(() => assert.deepEqual(editor.complaints.splice(0), [], 'the page did not complain'));

  const field = (id: string) => editor.page.locator(`#${id}`);

  async function open(): Promise<void> {
    await editor.openConfig(ID);
    await editor.unfold();
  }

  async function shownPublicKey(): Promise<string> {
    await editor.page.waitForFunction(
      () => document.querySelector<HTMLButtonElement>('#lwm2m-publicKey-copy')?.disabled === false,
    );
    return field('lwm2m-publicKey').inputValue();
  }

  async function kept(): Promise<Record<string, unknown>> {
    return nodeRed.get<Record<string, unknown>>(`credentials/lwm2m-server/${ID}`);
  }

  /** A deploy is answered before the new server runs. */
  async function publicKeyBecomes(fits: (key: string) => boolean): Promise<void> {
    for (;;) {
      const response = await fetch(`${nodeRed.url}lwm2m/${ID}/public-key`);
      const { publicKey: key = '' } = (await response.json()) as { publicKey?: string };
      if (key !== '' && fits(key)) return;
    }
  }

  it('shows the public key that the server has made for itself, to be copied', async () => {
    await editor.page.context().grantPermissions(['clipboard-read']);
    await open();
    const own = await shownPublicKey();
    assert.deepEqual(await nodeRed.get(`lwm2m/${ID}/public-key`), { publicKey: own });
    await field('lwm2m-publicKey-copy').click();
    assert.equal(await editor.page.evaluate(() => navigator.clipboard.readText()), own);
    assert.match((await field('lwm2m-privateKey').getAttribute('placeholder')) ?? '', /one is made/);
    await editor.screenshot('dialog-lwm2m-server-security');
    await editor.done();
  });

  it('takes a private key and anchors, and shows the key never again', async () => {
    await open();
    await field('lwm2m-privateKey').fill(pem);
    await field('node-config-input-trustAnchors').fill('  ');
    await editor.done();
    await editor.deploy();
    const expected = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
    await publicKeyBecomes((key) => key === expected);
    assert.equal((await kept())['has_privateKey'], true);
    assert.equal((await nodeRed.flows()).find(({ id }) => id === ID)?.['credentials'], undefined);

    await open();
    assert.equal(await field('lwm2m-privateKey').inputValue(), '');
    assert.equal(await field('node-config-input-privateKey').inputValue(), HIDDEN);
    assert.match((await field('lwm2m-privateKey').getAttribute('placeholder')) ?? '', /never shown/);
    assert.equal(await shownPublicKey(), expected);
    await editor.done();
  });

  it('keeps the key that is there when something else is changed, or a new one is typed and taken away again', async () => {
    await open();
    await field('lwm2m-privateKey').fill('something');
    await field('lwm2m-privateKey').fill('');
    await field('node-config-input-lifetimeMax').fill('3600');
    await editor.done();
    await editor.deploy();
    const expected = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
    await publicKeyBecomes((key) => key === expected);
    assert.equal((await kept())['has_privateKey'], true);
  });

  it('removes the key when told to', async () => {
    await open();
    await field('lwm2m-privateKey-remove').click();
    assert.equal(await field('lwm2m-privateKey-remove').isDisabled(), true);
    await editor.done();
    await editor.deploy();
    const given = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
    await publicKeyBecomes((key) => key !== given);
    assert.notEqual((await kept())['has_privateKey'], true);
  });

  for (const { name, ...options } of [
    { name: 'light', dark: false, locale: 'en-US', says: 'Private key' },
    { name: 'dark', dark: true, locale: 'en-US', says: 'Private key' },
    { name: 'de', dark: false, locale: 'de', says: 'Privat' },
    { name: 'ja', dark: true, locale: 'ja', says: '秘密鍵' },
  ]) {
    it(`speaks and looks as the user wishes: ${name}`, async () => {
      const other = await Editor.open(browser, nodeRed, options);
      await other.openConfig(ID);
      await other.unfold();
      const label = await other.page.locator('label[for=lwm2m-privateKey]').innerText();
      assert.equal(label.trim(), options.says);
      await other.page.waitForFunction(
        () => (document.querySelector<HTMLTextAreaElement>('#lwm2m-publicKey')?.value ?? '') !== '',
      );
      await other.screenshot(`security-server-${name}`);
      await other.page.locator('#node-config-dialog-cancel').click();
      for (const type of ['lwm2m-provision', 'lwm2m-simulator']) {
        const id = await other.drag(type, 420, 200);
        await other.openDialog(id);
        if (type === 'lwm2m-simulator') await other.select('security', 'psk');
        await other.screenshot(`security-${type}-${name}`);
        await other.page.locator('#node-dialog-cancel').click();
        await other.page.waitForSelector('.red-ui-tray', { state: 'detached' });
      }
      assert.deepEqual(other.complaints, []);
      await other.close();
    });
  }
});
