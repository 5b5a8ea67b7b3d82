import assert from 'node:assert/strict';
import type { Browser } from 'playwright-core';
import { browserIsMissing, Editor, startBrowser } from '../support/editor';
import { NodeRedProcess, type Flow } from '../support/node-red-process';

const SERVER: Flow = {
  id: 'server-1',
  type: 'lwm2m-server',
  name: 'City',
  host: '127.0.0.1',
  coapPort: '',
  coapsPort: '',
  noSec: 'loopback',
  lifetimeMin: '',
  lifetimeMax: '',
  awakeTime: 93,
  objectsDir: '',
};

/** A choice in a TypedInput: its type, then its text. */
type Typed = { type: string; value: string };
type Fill = Record<string, string | Typed | string[]>;

/** For each node what is typed into its dialog, and what a flow then holds where that is not the same. */
const DIALOGS: Record<string, { fill: Fill; holds?: Record<string, unknown>; label: string }> = {
  'lwm2m-read': {
    fill: {
      target: { type: 'selector', value: 'ep=lamp-* state:online' },
      path: { type: 'str', value: '/3311/0/5850 /3311/0/5851' },
      keys: 'name',
      contentFormat: 'senml-cbor',
    },
    label: 'ep=lamp-* state:online /3311/0/5850 /3311/0/5851',
  },
  'lwm2m-write': {
    fill: {
      target: { type: 'endpoint', value: 'lamp-that-is-offline' },
      path: { type: 'str', value: '/Light Control/0/On\\/Off' },
      value: { type: 'bool', value: 'true' },
      mode: 'update',
      keys: 'id',
      contentFormat: 'tlv',
    },
    label: 'lamp-that-is-offline /Light Control/0/On\\/Off',
  },
  'lwm2m-execute': {
    fill: {
      target: { type: 'group', value: 'main-street' },
      path: { type: 'str', value: '/3/0/4' },
      args: { type: 'str', value: "0='now'" },
    },
    label: 'group main-street /3/0/4',
  },
  'lwm2m-observe': {
    fill: {
      target: { type: 'flow', value: 'lamps' },
      path: { type: 'env', value: 'LAMP_PATH' },
      pmin: '1',
      pmax: '${LONGEST}',
      gt: '80.5',
      lt: '-20',
      st: '5',
      epmin: '1',
      epmax: '60',
      keys: 'id',
      contentFormat: 'senml-json',
    },
    label: 'flow.lamps $LAMP_PATH',
  },
  'lwm2m-discover': {
    fill: { target: { type: 'msg', value: 'lamp' }, path: { type: 'str', value: '/3311' }, depth: '2' },
    label: 'msg.lamp /3311',
  },
  'lwm2m-attributes': {
    fill: {
      target: { type: 'endpoint', value: 'lamp-1' },
      path: { type: 'global', value: 'where' },
      pmin: '5',
      pmax: '300',
      gt: 'null',
      lt: '20',
      st: '1',
      epmin: '1',
      epmax: '2',
      edge: '1',
      con: 'null',
      hqmax: '10',
    },
    label: 'lamp-1 global.where',
  },
  'lwm2m-create': {
    fill: {
      target: { type: 'env', value: 'LAMP' },
      path: { type: 'str', value: '/3311/1' },
      value: { type: 'json', value: '{"5850":false}' },
      keys: 'name',
      contentFormat: 'lwm2m-cbor',
    },
    label: '$LAMP /3311/1',
  },
  'lwm2m-delete': {
    fill: { target: { type: 'endpoint', value: 'lamp-1' }, path: { type: 'jsonata', value: '"/3311/" & n' } },
    label: 'lamp-1 "/3311/" & n',
  },
  'lwm2m-events': {
    fill: { target: { type: 'selector', value: 'has:/3311' }, topics: ['registered', 'expired'] },
    label: 'has:/3311',
  },
  'lwm2m-devices': {
    fill: { target: { type: 'endpoint', value: '' }, pathList: '/3311/0/5850, /3311/0/5851' },
    holds: { paths: ['/3311/0/5850', '/3311/0/5851'] },
    label: 'LwM2M devices',
  },
  'lwm2m-provision': { fill: { action: 'remove' }, label: 'LwM2M provision' },
  'lwm2m-grant': { fill: { action: 'revoke' }, label: 'LwM2M grant' },
  'lwm2m-audit': { fill: { user: 'tom', limit: '50', outcome: 'denied', format: 'csv' }, label: 'LwM2M audit' },
  'lwm2m-suspend': {
    fill: {
      target: { type: 'selector', value: 'priority:low' },
      action: 'suspend',
      duration: { type: 'num', value: '7200' },
      stagger: '600',
    },
    label: 'priority:low',
  },
  'lwm2m-simulator': {
    fill: {
      count: '2',
      endpointPrefix: 'lamp-park-',
      security: 'nosec',
      serverUri: 'coap://127.0.0.1:5998',
      lifetime: '30',
      name: 'Two lamps',
    },
    label: 'Two lamps',
  },
};

describe("the editor's dialogs", function () {
  this.timeout(60_000);
  let nodeRed: NodeRedProcess;
  let browser: Browser;
  let editor: Editor;

  before(async function () {
    if (browserIsMissing()) this.skip();
    nodeRed = await NodeRedProcess.start({ flows: [{ id: 'tab', type: 'tab', label: 'Flow' }, SERVER] });
    browser = await startBrowser();
    editor = await Editor.open(browser, nodeRed);
  });

  after(async () => {
    await browser?.close();
    await nodeRed?.stop();
  });

  afterEach(() => assert.deepEqual(editor.complaints.splice(0), [], 'the page did not complain'));

  Object.entries(DIALOGS).forEach(([type, { fill, holds, label }], index) => {
    it(`of ${type} keeps what is typed through Done, Deploy and opening it again`, async () => {
      const id = await editor.drag(type, 420, 40 + index * 55);
      await editor.openDialog(id);
      await editor.unfold();
      const server: Fill = type === 'lwm2m-simulator' ? {} : { server: 'server-1' };
      for (const [property, value] of Object.entries({ ...server, ...fill })) await enter(property, value);
      await editor.screenshot(`dialog-${type}`);
      await editor.done();
      assert.deepEqual(await editor.problems(id), []);
      assert.equal(await editor.label(id), label);
      await editor.deploy();

      const deployed = (await nodeRed.flows()).find((node) => node.id === id);
      const expected = { ...server, ...properties(fill), ...holds };
      assert.deepEqual({ ...deployed, ...expected }, deployed);

      await editor.openDialog(id);
      await editor.done();
      const { x, y, wires, ...same } = await editor.node(id);
      assert.ok(x !== undefined && y !== undefined && wires !== undefined);
      assert.deepEqual({ ...deployed, ...same }, deployed, 'opening and closing changes nothing');
    });
  });

  it('import an example from the menu, ready to deploy', async () => {
    const other = await Editor.open(browser, nodeRed);
    await other.importExample('street-lights');
    const types = await other.deployable();
    assert.deepEqual(types.invalid, []);
    assert.ok(types.types.includes('lwm2m-observe') && types.types.includes('lwm2m-simulator'));
    await other.screenshot('imported');
    assert.deepEqual(other.complaints, []);
    await other.close();
  });

  it('of the simulator has an address that fits its security, and a key only where one is used', async () => {
    const id = await editor.drag('lwm2m-simulator', 620, 640);
    await editor.openDialog(id);
    const key = editor.field('key');
    assert.deepEqual(
      [await editor.field('serverUri').inputValue(), await key.isVisible()],
      ['coap://127.0.0.1:5683', false],
    );
    await editor.select('security', 'psk');
    assert.deepEqual(
      [await editor.field('serverUri').inputValue(), await key.isVisible()],
      ['coaps://127.0.0.1:5684', true],
    );
    assert.match((await editor.page.locator('#lwm2m-security-hint').textContent()) ?? '', /learns it by itself/);
    assert.equal(await editor.isRefused('security'), false);
    await editor.screenshot('dialog-lwm2m-simulator-psk');
    await editor.enter('serverUri', 'coap://city.example.com');
    assert.equal(await editor.isRefused('security'), true);
    await editor.enter('serverUri', 'coaps://city.example.com');
    assert.equal(await editor.isRefused('security'), false);
    await key.fill('00112233');
    await editor.done();
    assert.deepEqual(await editor.problems(id), []);
    assert.ok(!JSON.stringify(await editor.node(id)).includes('00112233'));
  });

  it('of the simulator follows its kind with what is usual for it, and asks for the awake time of sleepers only', async () => {
    const id = await editor.drag('lwm2m-simulator', 620, 680);
    await editor.openDialog(id);
    const sleeps = editor.page.locator('#node-input-queueMode');
    const awake = editor.field('awakeTime');
    const shown = async () => [
      await editor.field('endpointPrefix').inputValue(),
      await editor.field('lifetime').inputValue(),
      await sleeps.isChecked(),
      await awake.isVisible(),
    ];
    assert.deepEqual(await shown(), ['lamp-', '60', false, false]);
    await editor.select('kind', 'meter');
    assert.deepEqual(await shown(), ['meter-', '3600', true, true]);
    await editor.screenshot('dialog-lwm2m-simulator-meter');
    await editor.enter('endpointPrefix', 'cellar-');
    await editor.select('kind', 'car');
    assert.deepEqual(await shown(), ['cellar-', '60', false, false]);
    await sleeps.check();
    await editor.enter('awakeTime', '0');
    assert.equal(await editor.isRefused('awakeTime'), true);
    await editor.enter('awakeTime', '10');
    await editor.enter('vanishEvery', '60');
    await editor.enter('vanishFor', '20');
    await editor.done();
    assert.deepEqual(await editor.problems(id), []);
    const { kind, queueMode, awakeTime, vanishEvery, vanishFor } = await editor.node(id);
    assert.deepEqual([kind, queueMode, awakeTime, vanishEvery, vanishFor], ['car', true, '10', '60', '20']);
  });

  it('take a server that is made in them', async () => {
    const id = await editor.drag('lwm2m-read', 420, 600);
    await editor.openDialog(id);
    await editor.page.locator('#node-input-lookup-server, #node-input-btn-server-add').first().click();
    await editor.settled();
    await editor.unfold();
    await editor.screenshot('dialog-lwm2m-server');
    await editor.page.locator('#node-config-input-name').fill('Another');
    await editor.page.locator('#node-config-input-coapPort').fill('5699');
    await editor.page.locator('#node-config-input-coapsPort').fill('5699');
    await editor.page.locator('#node-config-input-coapsPort').blur();
    assert.equal(await editor.page.locator('#node-config-input-coapsPort.input-error').count(), 1);
    await editor.page.locator('#node-config-input-coapsPort').fill('5698');
    await editor.page.locator('#node-config-input-noSec').selectOption('any');
    assert.match((await editor.page.locator('#lwm2m-noSec-hint').textContent()) ?? '', /closed networks/);
    await editor.page.locator('#node-config-input-lifetimeMax').fill('3600');
    const storePath = editor.page.locator('#node-config-input-storePath');
    assert.match((await storePath.getAttribute('placeholder')) ?? '', /^lwm2m\/\w+ in the user directory$/);
    await storePath.fill('city');
    await editor.page.locator('#node-config-input-store').selectOption('memory');
    assert.match((await editor.page.locator('#lwm2m-store-hint').textContent()) ?? '', /must register again/);
    assert.equal(await storePath.isVisible(), false);
    await editor.page.locator('#node-config-input-store').selectOption('sqlite');
    assert.equal(await storePath.isVisible(), true);
    await editor.page.locator('#node-config-input-mismatchGrace').fill('30');
    assert.equal(await editor.page.locator('#node-config-input-awakeOnNotify').isChecked(), true);
    const profiles = editor.page.locator('#node-config-input-profiles');
    await profiles.fill('a3f5c1');
    await profiles.blur();
    assert.equal(await editor.page.locator('#node-config-input-profiles.input-error').count(), 1);
    await profiles.fill('a3f5c1 </1/0>,</3/0>');
    await editor.done();
    await editor.done();
    const { server } = await editor.node(id);
    const made = await editor.node(String(server));
    assert.deepEqual(
      [made['mismatchGrace'], made['awakeOnNotify'], made['profiles']],
      ['30', true, 'a3f5c1 </1/0>,</3/0>'],
    );
    const { name, host, coapPort, coapsPort, noSec, lifetimeMax, awakeTime, store, storePath: folder } = made;
    assert.deepEqual(
      [name, host, String(coapPort), String(coapsPort), noSec, lifetimeMax, awakeTime, store, folder],
      ['Another', '::', '5699', '5698', 'any', '3600', 93, 'sqlite', 'city'],
    );
  });

  describe('refuse', () => {
    let id = '';

    before(async () => {
      id = await editor.drag('lwm2m-observe', 620, 600);
    });

    beforeEach(async () => {
      await editor.openDialog(id);
      await editor.unfold();
      await editor.select('server', 'server-1');
    });

    afterEach(async () => {
      await editor.page.locator('#node-dialog-cancel').click();
      await editor.page.waitForSelector('.red-ui-tray', { state: 'detached' });
    });

    const wrong: [string, Fill, string][] = [
      ['a selector with a term that there is not', { target: { type: 'selector', value: 'lamp-*' } }, 'target'],
      ['a path without a slash', { path: { type: 'str', value: '3311/0' } }, 'path'],
      ['a path with an id that is too large', { path: { type: 'str', value: '/3311/65536' } }, 'path'],
      ['a second path of five parts', { path: { type: 'str', value: '/3/0 /1/2/3/4/5' } }, 'path'],
      ['a period that is no number', { pmin: 'soon' }, 'pmin'],
      ['a minimum period above the maximum', { pmin: '10', pmax: '5' }, 'pmax'],
      ['thresholds that contradict each other', { gt: '10', lt: '5', st: '3' }, 'st'],
    ];
    for (const [what, fill, property] of wrong) {
      it(`${what}, and say why`, async () => {
        for (const [name, value] of Object.entries(fill)) await enter(name, value);
        assert.equal(await editor.isRefused(property), true);
      });
    }

    it('nothing that is right', async () => {
      for (const [name, value] of Object.entries({ pmin: '5', pmax: '10', gt: '12', lt: '5', st: '3' }))
        await enter(name, value);
      for (const name of ['pmin', 'pmax', 'gt', 'lt', 'st', 'target', 'path']) {
        assert.equal(await editor.isRefused(name), false, name);
      }
    });
  });

  for (const { name, ...options } of [
    { name: 'light', dark: false, locale: 'en-US', read: 'Device' },
    { name: 'dark', dark: true, locale: 'en-US', read: 'Device' },
    { name: 'de', dark: false, locale: 'de', read: 'Gerät' },
    { name: 'ja', dark: true, locale: 'ja', read: 'デバイス' },
  ]) {
    it(`speak and look as the user wishes: ${name}`, async () => {
      const other = await Editor.open(browser, nodeRed, options);
      const id = await other.drag('lwm2m-observe', 300, 80);
      await other.openDialog(id);
      await other.unfold();
      assert.equal(
        await other.page
          .locator('label[for=node-input-target]')
          .innerText()
          .then((text) => text.trim()),
        options.read,
      );
      await other.screenshot(`look-${name}`);
      assert.deepEqual(other.complaints, []);
      await other.close();
    });
  }

  async function enter(property: string, value: string | Typed | string[]): Promise<void> {
    if (Array.isArray(value)) {
      for (const choice of value) await editor.page.locator(`#lwm2m-${property} input[value="${choice}"]`).check();
    } else if (typeof value === 'string') {
      await editor.enter(property, value);
    } else {
      await editor.chooseType(property, value.type);
      await editor.enter(property, value.value);
    }
  }
});

function properties(fill: Fill): Record<string, unknown> {
  const held: Record<string, unknown> = {};
  for (const [property, value] of Object.entries(fill)) {
    if (typeof value === 'object' && !Array.isArray(value))
      Object.assign(held, { [property]: value.value, [`${property}Type`]: value.type });
    else held[property] = value;
  }
  delete held['pathList'];
  return held;
}
