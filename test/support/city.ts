import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { DebugSidebar, type Shown } from './debug-sidebar';
import { goesAway } from './editor';
import { freeUdpPort } from './free-udp-port';
import { NodeRedProcess, PACKAGE_ROOT, type Flow } from './node-red-process';

/** Where the pictures of the documentation are; they are made anew with SCREENSHOTS=1 only. */
const PICTURES = path.join(PACKAGE_ROOT, 'docs', 'images', 'pages');

const DESKTOP = { width: 1280, height: 860 };
const PHONE = { width: 390, height: 844 };

/** What a simulated device did, as its simulator says it. */
export interface SimulatedEvent {
  readonly topic: string;
  readonly endpoint: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

export interface CityOptions {
  /** Which pages: `street-lights` and so on; all unless said. */
  pages?: readonly string[];
  /** s, of all simulated devices: how long one that vanished is believed to be there. As the examples say unless given. */
  lifetime?: number;
  /** The last change to a node of the city before it is deployed. */
  adapt?: (node: Flow) => Flow;
}

/**
 * The example city, running: the pages of `npm start` on ports of its own. Besides the pages a test can ask the simulated
 * devices themselves, by another way than the server: each simulator is wired to a route that only the test knows.
 */
export class City {
  private constructor(
    readonly nodeRed: NodeRedProcess,
    readonly sidebar: DebugSidebar,
    private readonly simulators: readonly Flow[],
  ) {}

  /** Resolves when all simulated devices are registered. */
  static async start(options: CityOptions = {}): Promise<City> {
    const { cityOf, DASHBOARD } = await import('../../scripts/city.mjs');
    const flows = await adapted(cityOf(options.pages), options);
    const simulators = flows.filter(({ type }) => type === 'lwm2m-simulator');
    const nodeRed = await NodeRedProcess.start({ settings: { nodesDir: [PACKAGE_ROOT, DASHBOARD] } });
    const sidebar = await DebugSidebar.open(nodeRed.url);
    const city = new City(nodeRed, sidebar, simulators);
    const registered = new Set<string>();
    const total = simulators.reduce((sum, { count }) => sum + Number(count), 0);
    const all = city.event(({ topic, endpoint }) => topic === 'registered' && registered.add(endpoint).size === total);
    await nodeRed.deploy([...simulators.flatMap(listening), ...flows]);
    if (total > 0) await all;
    return city;
  }

  async stop(): Promise<void> {
    this.sidebar.close();
    await this.nodeRed.stop();
  }

  /** What a simulated device has and does, by path: asked of itself, not of the server. */
  async device(endpoint: string): Promise<Readonly<Record<string, unknown>>> {
    return (await this.ask(endpoint, { action: 'state' })) as Record<string, unknown>;
  }

  /** The values that each of these devices has at a path. */
  async values(endpoints: readonly string[], path: string): Promise<unknown[]> {
    return Promise.all(endpoints.map(async (endpoint) => (await this.device(endpoint))[path]));
  }

  /** Lets something happen to a simulated device: `vanish`, `return`, or what is of its kind (`openWindow`, `drive`). */
  async happen(endpoint: string, action: string, more: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.ask(endpoint, { action, ...more });
  }

  /** The next thing that a simulated device does and that fits. Ask before it is caused. */
  async event(fits: (event: SimulatedEvent) => boolean): Promise<SimulatedEvent> {
    const { value } = await this.sidebar.next(
      (shown) => shown.id.endsWith(EVENTS) && fits(shown.value as SimulatedEvent),
    );
    return value as SimulatedEvent;
  }

  /** What a debug node of the city has shown, or will. */
  async told(debugId: string, fits: (value: unknown) => boolean = () => true): Promise<unknown> {
    const isIt = ({ id, value }: Shown): boolean => id === debugId && fits(value);
    return (this.sidebar.shown.find(isIt) ?? (await this.sidebar.next(isIt))).value;
  }

  /** What nodes of the city have complained about. */
  get errors(): string[] {
    return this.sidebar.shown.flatMap(({ id, level, value }) =>
      level === undefined ? [] : [`${id}: ${typeof value === 'string' ? value : JSON.stringify(value)}`],
    );
  }

  /** Opens a page in a browser, and waits until it is there. */
  async open(browser: Browser, name: string, options: PageOptions = {}): Promise<CityPage> {
    const { dark = false, phone = false } = options;
    const { width, height } = phone ? PHONE : DESKTOP;
    const viewport = { width, height: options.height ?? height };
    const colorScheme = dark ? 'dark' : 'light';
    const context = await browser.newContext({ viewport, colorScheme, locale: 'en-GB' });
    const page = new CityPage(await context.newPage(), context, colorScheme);
    await page.page.goto(`${this.nodeRed.url}dashboard/${name}`);
    await page.note().first().waitFor();
    return page;
  }

  private async ask(endpoint: string, question: Readonly<Record<string, string>>): Promise<unknown> {
    const simulator = this.simulators.find(({ endpointPrefix, count }) => {
      const number = endpoint.startsWith(String(endpointPrefix)) && endpoint.slice(String(endpointPrefix).length);
      return number !== false && /^\d+$/.test(number) && Number(number) <= Number(count);
    });
    if (simulator === undefined) throw new Error(`the city has no simulated device ${endpoint}`);
    const query = new URLSearchParams({ endpoint, ...question }).toString();
    return this.nodeRed.get(`simulated/${simulator.id}?${query}`);
  }
}

export interface PageOptions {
  dark?: boolean;
  phone?: boolean;
  /** px, where a picture shall show more of a long page than a screen does. */
  height?: number;
}

/** One page of the city in a browser, in words of what a person does. */
export class CityPage {
  /** Everything the page complained about: console errors and uncaught exceptions. */
  readonly complaints: string[] = [];

  constructor(
    readonly page: Page,
    private readonly context: BrowserContext,
    private readonly colorScheme: 'light' | 'dark',
  ) {
    page.on('console', (message) => {
      if (message.type() === 'error') this.complaints.push(`${message.text()} (${message.location().url})`);
    });
    page.on('pageerror', (error) => this.complaints.push(error.stack ?? String(error)));
  }

  async close(): Promise<void> {
    await this.context.close();
  }

  /** Presses a button, by what a screen reader calls it. */
  async press(name: string | RegExp): Promise<void> {
    await this.page.getByRole('button', typeof name === 'string' ? { name, exact: true } : { name }).click();
  }

  /** Chooses from a `v-select`, such as who one is. */
  async choose(label: string, option: string | RegExp): Promise<void> {
    // A dialog that is still closing takes the focus, and leaves the menu open.
    await this.page.locator('.v-dialog.v-overlay--active').waitFor({ state: 'detached' });
    const menu = this.page.locator('.v-menu.v-overlay--active');
    await this.page.locator('.v-select', { hasText: label }).click();
    const wanted = menu.getByRole('option', { name: option });
    await wanted.click();
    // A menu that is still unfolding may miss a click. A user clicks again.
    if (!(await goesAway(menu))) await wanted.click();
    await menu.waitFor({ state: 'detached' });
  }

  /** The line that says what became of an order. */
  note(): Locator {
    return this.page.locator('.lw-note[role=status]');
  }

  /** Waits until that line says this. Returns the whole line. */
  async notice(text: string | RegExp): Promise<string> {
    const note = this.note().filter({ hasText: text });
    await note.waitFor();
    return (await note.textContent()) ?? '';
  }

  /** Waits until there is something with this text on the page. */
  async see(text: string | RegExp, within = 'body'): Promise<void> {
    await this.page.locator(within).getByText(text).first().waitFor();
  }

  /** By how many pixels the page is wider than the screen; 0 when nobody must scroll sideways. */
  async overflow(): Promise<number> {
    return this.page.evaluate(() => Math.max(0, document.documentElement.scrollWidth - window.innerWidth));
  }

  /** The pictures of the documentation, light and dark; with SCREENSHOTS=1 only, so that tests change nothing. */
  async screenshot(name: string): Promise<void> {
    if (process.env.SCREENSHOTS !== '1') return;
    await mkdir(PICTURES, { recursive: true });
    for (const colorScheme of ['light', 'dark'] as const) {
      await this.page.emulateMedia({ colorScheme });
      const file = path.join(PICTURES, `${name}-${colorScheme}.png`);
      await this.page.screenshot({ path: file, animations: 'disabled', caret: 'hide', scale: 'css' });
    }
    await this.page.emulateMedia({ colorScheme: this.colorScheme });
  }
}

/** The flows with other UDP ports than 5683 and 5684. */
export async function onFreePorts(flows: readonly Flow[]): Promise<Flow[]> {
  const ports: Readonly<Record<string, number>> = { 5683: await freeUdpPort(), 5684: await freeUdpPort() };
  const json = JSON.stringify(flows).replaceAll(/(?<=:)568[34]\b/g, (port) => String(ports[port]));
  return JSON.parse(json) as Flow[];
}

/** On ports of its own, so that it disturbs nothing that runs on this machine; what debug nodes show can be waited for. */
async function adapted(flows: readonly Flow[], { lifetime, adapt = (node) => node }: CityOptions): Promise<Flow[]> {
  return (await onFreePorts(flows)).map((node) => {
    const heard = node.type === 'debug' ? { ...node, active: true } : node;
    return adapt(heard.type === 'lwm2m-simulator' && lifetime !== undefined ? { ...heard, lifetime } : heard);
  });
}

/** The id of the debug node that shows what a simulator's devices do ends with it. */
const EVENTS = '-did';

const ANSWER = `
  if (msg.res === undefined) return [null, msg];
  if (msg.error) return [{ ...msg, statusCode: 400, payload: msg.error.message }, null];
  // What completes a question for the state has been answered.
  return msg.topic === 'state' || msg.payload.action !== 'state' ? [msg, null] : null;
`;

/** Wires a simulator to a route of the test, GET simulated/<id>, and to a debug node; adds to its own wires. */
function listening(simulator: Flow): Flow[] {
  const { id, z } = simulator;
  const answer = `${id}-answer`;
  const [own = []] = (simulator['wires'] ?? []) as string[][];
  simulator['wires'] = [[...own, answer]];
  return [
    { id: `${id}-ask`, type: 'http in', z, url: `/simulated/${id}`, method: 'get', wires: [[id]] },
    { id: `${id}-done`, type: 'complete', z, scope: [id], wires: [[answer]] },
    { id: `${id}-fault`, type: 'catch', z, scope: [id], wires: [[answer]] },
    {
      id: answer,
      type: 'function',
      z,
      func: ANSWER,
      outputs: 2,
      libs: [],
      wires: [[`${id}-reply`], [`${id}${EVENTS}`]],
    },
    { id: `${id}-reply`, type: 'http response', z, wires: [] },
    { id: `${id}${EVENTS}`, type: 'debug', z, active: true, tosidebar: true, complete: 'true', wires: [] },
  ];
}
