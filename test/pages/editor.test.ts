import assert from 'node:assert/strict';
import path from 'node:path';
import type { Browser } from 'playwright-core';
import { browserIsMissing, Editor, startBrowser } from '../support/editor';
import { freeUdpPort } from '../support/free-udp-port';
import { NodeRedProcess, PACKAGE_ROOT, type Flow } from '../support/node-red-process';

const IMAGES = path.join(PACKAGE_ROOT, 'docs', 'images');

describe('the city in the editor', function () {
  this.timeout(60_000);
  let nodeRed: NodeRedProcess;
  let browser: Browser;

  before(async function () {
    if (browserIsMissing()) this.skip();
    const { cityOf, DASHBOARD } = await import('../../scripts/city.mjs');
    const ports: Readonly<Record<string, number>> = { 5683: await freeUdpPort(), 5684: await freeUdpPort() };
    const moved = JSON.stringify(cityOf()).replaceAll(/(?<=:)568[34]\b/g, (port) => String(ports[port]));
    nodeRed = await NodeRedProcess.start({
      flows: JSON.parse(moved) as Flow[],
      settings: { nodesDir: [PACKAGE_ROOT, DASHBOARD] },
    });
    browser = await startBrowser();
  });

  after(async () => {
    await browser?.close();
    await nodeRed?.stop();
  });

  for (const dark of [false, true]) {
    it(`has no node that is unknown or wrong, and all lamps up, ${dark ? 'by night' : 'by day'}`, async () => {
      const editor = await Editor.open(browser, nodeRed, { dark });
      const { types, invalid } = await editor.deployable();
      assert.ok(types.includes('lwm2m-suspend') && types.includes('ui-template'), types.join());
      assert.deepEqual(invalid, []);
      await editor.page.locator('.red-ui-tab', { hasText: 'Street lights' }).click();
      await editor.page.locator('.red-ui-flow-node-status-label', { hasText: '12/12' }).waitFor();
      assert.deepEqual(editor.complaints, []);
      if (process.env.SCREENSHOTS === '1') {
        await editor.page.screenshot({ path: path.join(IMAGES, `city-${dark ? 'dark' : 'light'}.png`), scale: 'css' });
      }
      await editor.close();
    });
  }
});
