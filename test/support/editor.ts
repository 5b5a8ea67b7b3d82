import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { chromium, type Browser, type BrowserContext, type Locator, type Page } from 'playwright-core';
import { PACKAGE_ROOT, type NodeRedProcess } from './node-red-process';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';

const SCREENSHOTS = path.join(PACKAGE_ROOT, 'test-results');

/** What a machine without a display, run as root and closed to the network needs. */
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Whether the editor can be tested here. In CI it must be: a missing browser is then a failure of the first test. */
export function browserIsMissing(): boolean {
  return !existsSync(CHROMIUM) && process.env.CI === undefined;
}

export async function startBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });
}

/** Whether an element goes away within a second. */
export function goesAway(element: Locator): Promise<boolean> {
  return element.waitFor({ state: 'hidden', timeout: 1000 }).then(
    () => true,
    () => false,
  );
}

export interface EditorOptions {
  dark?: boolean;
  locale?: string;
}

/** The editor in a browser page, in words of what a user does. */
export class Editor {
  /** Everything the page complained about: console errors and uncaught exceptions. */
  readonly complaints: string[] = [];

  private constructor(
    readonly page: Page,
    private readonly context: BrowserContext,
  ) {
    page.on('console', (message) => {
      if (message.type() === 'error') this.complaints.push(`${message.text()} (${message.location().url})`);
    });
    page.on('pageerror', (error) => this.complaints.push(error.stack ?? String(error)));
  }

  static async open(browser: Browser, nodeRed: NodeRedProcess, options: EditorOptions = {}): Promise<Editor> {
    const { dark = false, locale = 'en-US' } = options;
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale });
    const page = await context.newPage();
    const editor = new Editor(page, context);
    if (dark) await page.addInitScript(() => localStorage.setItem('view-dark-theme', 'dark'));
    await page.goto(nodeRed.url);
    await page.waitForSelector('#red-ui-palette .red-ui-palette-node');
    await page.waitForSelector('#red-ui-loading-progress', { state: 'hidden' });
    return editor;
  }

  async close(): Promise<void> {
    await this.context.close();
  }

  /** Drags a node from the palette to the canvas. Returns its id. */
  async drag(type: string, x: number, y: number): Promise<string> {
    const before = await this.nodeIds();
    const source = this.page.locator(`.red-ui-palette-node[data-palette-type="${type}"]`);
    await source.scrollIntoViewIfNeeded();
    await source.hover();
    const canvas = await this.page.locator('#red-ui-workspace-chart').boundingBox();
    if (!canvas) throw new Error('there is no canvas');
    await this.page.mouse.down();
    await this.page.mouse.move(canvas.x + x - 20, canvas.y + y, { steps: 4 });
    await this.page.mouse.move(canvas.x + x, canvas.y + y);
    await this.page.mouse.up();
    const added = (await this.nodeIds()).filter((id) => !before.includes(id));
    const [id] = added;
    if (id === undefined) throw new Error(`dragging ${type} added no node`);
    return id;
  }

  private async nodeIds(): Promise<string[]> {
    return this.page.evaluate(() => {
      const ids: string[] = [];
      editorApi().nodes.eachNode((node) => ids.push(node.id));
      return ids;
      function editorApi(): EditorApi {
        return (window as unknown as { RED: EditorApi }).RED;
      }
    });
  }

  /** A node as the editor has it, changed but perhaps not deployed. */
  async node(id: string): Promise<Record<string, unknown>> {
    return this.page.evaluate((wanted) => {
      const { nodes } = (window as unknown as { RED: EditorApi }).RED;
      return nodes.convertNode(nodes.node(wanted), false);
    }, id);
  }

  /** What the editor finds wrong with a node. */
  async problems(id: string): Promise<unknown[]> {
    return this.page.evaluate((wanted) => {
      const node = (window as unknown as { RED: EditorApi }).RED.nodes.node(wanted);
      return node.valid === true ? [] : (node.validationErrors ?? ['not validated']);
    }, id);
  }

  /** Opens a node's dialog and waits until it may be typed into. Returns how long that took until it was drawn, ms. */
  async openDialog(id: string): Promise<number> {
    const took = await this.page.evaluate(async (wanted) => {
      const { nodes, editor } = (window as unknown as { RED: EditorApi }).RED;
      const start = performance.now();
      editor.edit(nodes.node(wanted));
      await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
      return performance.now() - start;
    }, id);
    await this.settled();
    return took;
  }

  /** Opens the dialog of a config node and waits until it may be typed into. */
  async openConfig(id: string): Promise<void> {
    await this.page.evaluate((wanted) => {
      const { nodes, editor } = (window as unknown as { RED: EditorApi }).RED;
      editor.editConfig('', nodes.node(wanted).type, wanted);
    }, id);
    await this.settled();
  }

  /** The dialog slides in and then focuses its first field: typing before that goes astray. */
  async settled(): Promise<void> {
    await this.page.waitForFunction(() => {
      const trays = document.querySelectorAll('.red-ui-tray');
      const last = trays[trays.length - 1];
      return last?.querySelector('.red-ui-tray-body')?.contains(document.activeElement) === true;
    });
  }

  /** The text input of a property, whether plain or a TypedInput. */
  field(property: string) {
    const typed = `#node-input-${property} + .red-ui-typedInput-container input.red-ui-typedInput-input`;
    const plain = `#node-input-${property}:not(.red-ui-typedInput)`;
    return this.page.locator(`${typed}, ${plain}`);
  }

  /** Types into a field, or chooses what it offers, whatever kind of field it is. */
  async enter(property: string, value: string): Promise<void> {
    const container = this.page.locator(`#node-input-${property} + .red-ui-typedInput-container`);
    const options = container.locator('.red-ui-typedInput-option-trigger');
    if (await this.page.locator(`select#node-input-${property}`).isVisible()) return this.select(property, value);
    if ((await options.isVisible()) && !(await this.field(property).isVisible())) {
      await options.click();
      await this.page.locator(`.red-ui-typedInput-options:visible a[value="${value}"]`).click();
      return;
    }
    await this.field(property).fill(value);
    await this.field(property).blur();
  }

  async select(property: string, value: string): Promise<void> {
    await this.page.locator(`select#node-input-${property}`).selectOption(value);
  }

  /** Opens every folded part of the dialog. */
  async unfold(): Promise<void> {
    await this.page.evaluate(() => {
      document
        .querySelectorAll<HTMLDetailsElement>('details.lwm2m-fold')
        .forEach((fold) => fold.setAttribute('open', ''));
    });
  }

  /** Whether the dialog marks what is in a field as wrong. */
  async isRefused(property: string): Promise<boolean> {
    const marked = this.page.locator(`#node-input-${property}.input-error`);
    return (await marked.count()) > 0;
  }

  /** What the canvas calls a node. */
  async label(id: string): Promise<string> {
    return this.page.evaluate((wanted) => {
      const { nodes, utils } = (window as unknown as { RED: EditorApi }).RED;
      return utils.getNodeLabel(nodes.node(wanted));
    }, id);
  }

  /** Chooses the type of a TypedInput as a user does: from its menu. */
  async chooseType(property: string, type: string): Promise<void> {
    await this.page
      .locator(`#node-input-${property} + .red-ui-typedInput-container .red-ui-typedInput-type-select`)
      .click();
    const option = this.page.locator(`.red-ui-typedInput-options:visible a[value="${type}"]`);
    await option.click();
    // The editor sometimes misses a click while its menu slides open. A user clicks again.
    for (let again = 0; again < 2 && !(await goesAway(option)); again += 1) await option.click();
  }

  /** Presses Done in the uppermost dialog and waits until it is gone. */
  async done(): Promise<void> {
    const ok = await this.page.locator('#node-dialog-ok:visible, #node-config-dialog-ok:visible').elementHandle();
    await ok?.click();
    await ok?.waitForElementState('hidden');
  }

  /** Imports one of this package's examples as a user does: Import, Examples. */
  async importExample(name: string): Promise<void> {
    await this.page.evaluate(() =>
      (window as unknown as { RED: EditorApi }).RED.actions.invoke('core:show-examples-import-dialog'),
    );
    const tree = this.page.locator('#red-ui-clipboard-dialog-import-tab-examples');
    await tree.getByText('@open-lwm2m/node-red-lwm2m').click();
    await tree.getByText(name, { exact: true }).click();
    await this.page.locator('#red-ui-clipboard-dialog-ok').click();
    await this.page.locator('#red-ui-clipboard-dialog').waitFor({ state: 'hidden' });
  }

  /** The types of all nodes on the canvas, and those that the editor finds wrong. */
  async deployable(): Promise<{ types: string[]; invalid: string[] }> {
    return this.page.evaluate(() => {
      const nodes: { type: string; valid?: boolean; z?: string }[] = [];
      (window as unknown as { RED: EditorApi }).RED.nodes.eachNode((node) => nodes.push(node as never));
      const invalid = nodes.filter(({ valid }) => valid === false).map(({ type }) => type);
      return { types: nodes.map(({ type }) => type), invalid };
    });
  }

  /** Presses Deploy and waits for its success. */
  async deploy(): Promise<void> {
    const deployed = this.page.waitForResponse(
      (response) => response.request().method() === 'POST' && new URL(response.url()).pathname.endsWith('/flows'),
    );
    await this.page.locator('#red-ui-header-button-deploy').click();
    const response = await deployed;
    if (!response.ok()) throw new Error(`deploy: ${response.status()} ${await response.text()}`);
  }

  /** A picture for people to look at, below test-results/. */
  async screenshot(name: string): Promise<void> {
    await mkdir(SCREENSHOTS, { recursive: true });
    await this.page.screenshot({ path: path.join(SCREENSHOTS, `${name}.png`) });
  }
}

interface EditorApi {
  nodes: {
    eachNode(visit: (node: { id: string }) => void): void;
    node(id: string): { id: string; type: string; valid?: boolean; validationErrors?: unknown[] };
    convertNode(node: unknown, exportCredentials: boolean): Record<string, unknown>;
  };
  editor: { edit(node: unknown): void; editConfig(property: string, type: string, id: string): void };
  actions: { invoke(action: string): void };
  utils: { getNodeLabel(node: unknown): string };
}
