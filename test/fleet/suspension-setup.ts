import { CoapCode, type CoapMessage } from '../../src/coap';
import type { DeviceEvent, SuspensionSummary } from '../../src';
import type { Harness } from '../server/harness';
import { pathOfRequest } from '../server/harness';
import type { ScriptedDevice } from '../support/scripted-device';

export const LINKS = '</1/0>,</3/0>,</3311/0>';

/** What a device does when it is told to stay away. */
export interface Manners {
  /** Codes it answers by path; 2.04 unless said, `undefined`: it is silent. */
  readonly answers?: Readonly<Record<string, number | undefined>>;
  /** Whether it de-registers after Disable; it does unless said. */
  readonly goes?: boolean;
}

/** A device that obeys, and remembers what it was asked: `PUT /1/0/5 300`. */
export class Obedient {
  readonly asked: string[] = [];
  /** What it was told of Disable Timeout last, s. */
  timeout: number | undefined;
  disabled = false;
  /** When it may come back by what it was told, ms since 1970. */
  backAt = NaN;

  constructor(
    readonly harness: Harness,
    readonly device: ScriptedDevice,
    readonly endpoint: string,
    readonly manners: Manners = {},
  ) {
    this.#listen();
  }

  static async registered(
    harness: Harness,
    endpoint: string,
    address: string,
    manners: Manners = {},
    registration: Partial<Parameters<ScriptedDevice['register']>[0]> = {},
  ): Promise<Obedient> {
    const device = await harness.registered({ endpoint, links: LINKS, lifetime: 86_400, ...registration }, address);
    return new Obedient(harness, device, endpoint, manners);
  }

  /** Registers anew. @returns the code of the answer and its Max-Age */
  async register(): Promise<{ code: number; maxAge: number | undefined }> {
    const { endpoint } = this;
    return this.#codeOf(this.device.register({ endpoint, links: LINKS, lifetime: 86_400 }));
  }

  async update(): Promise<{ code: number; maxAge: number | undefined }> {
    return this.#codeOf(this.device.update());
  }

  async #codeOf(answer: Promise<CoapMessage>): Promise<{ code: number; maxAge: number | undefined }> {
    const { code, options } = await this.harness.settled(answer);
    await this.harness.clock.settle();
    return { code, maxAge: options.maxAge };
  }

  #listen(): void {
    void this.device.expectRequest().then((request) => {
      this.#listen();
      const path = pathOfRequest(request.message);
      const { payload } = request.message;
      this.asked.push(`${methodOf(request.message)} ${path}${payload.length === 0 ? '' : ` ${payload.toString()}`}`);
      const { answers = {}, goes = true } = this.manners;
      const code = path in answers ? answers[path] : CoapCode.Changed;
      if (code === undefined) return;
      const value = code === CoapCode.Content ? '1' : undefined;
      request.reply(code, value === undefined ? {} : { contentFormat: 0 }, value);
      if (code !== CoapCode.Changed) return;
      if (path === '/1/0/5') this.timeout = Number(payload.toString());
      if (path !== '/1/0/4') return;
      this.disabled = true;
      this.backAt = this.harness.clock.now() + (this.timeout ?? NaN) * 1000;
      if (goes) void this.device.deregister();
    });
  }
}

function methodOf({ code }: CoapMessage): string {
  return { 1: 'GET', 2: 'POST', 3: 'PUT' }[code] ?? String(code);
}

/** The counts of a summary that are not 0, and its results. */
export function countsOf({ results: _, nextBackAt: __, lastBackAt: ___, ...counts }: SuspensionSummary): object {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count !== 0));
}

/** Events as `topic endpoint`. */
export function told(events: readonly DeviceEvent[]): string[] {
  return events.map(({ topic, endpoint }) => `${topic} ${endpoint}`);
}
