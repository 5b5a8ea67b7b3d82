import assert from 'node:assert/strict';
import path from 'node:path';
import type { Browser } from 'playwright-core';
import { onFreePorts } from '../support/city';
import { browserIsMissing, Editor, startBrowser } from '../support/editor';
import { NodeRedProcess, PACKAGE_ROOT } from '../support/node-red-process';

const IMAGES = path.join(PACKAGE_ROOT, 'docs', 'images');

describe('the city in the editor', function () {
  this.timeout(60_000);
  let nodeRed: NodeRedProcess;
  let browser: Browser;

  before(async function () {
    if (browserIsMissing()) this.skip();
    const { cityOf, DASHBOARD } = await import('../../scripts/city.mjs');
    nodeRed = await NodeRedProcess.start({
      flows: await onFreePorts(cityOf()),
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
