import { createRequire } from 'node:module';
import type * as Library from '../src/index';
import { quantile } from './rows';
import { serve, type Handlers } from './serve';

/** What is shipped is measured: the library as `npm run build` compiles it. */
export const { Engine, SqliteStore, parsePath } = createRequire(__filename)('../dist/src/index.js') as typeof Library;

const onOff = parsePath('/3311/0/5850');
const manufacturer = parsePath('/3/0/0');
const all = { selector: 'ep=*' } as const;
const switchOn = { operation: 'write', path: onOff, value: true, mode: 'replace' } as const;

/** What became of an order to all devices, and how long after it was given, ms. */
export interface OrderFigures {
  readonly total: number;
  readonly succeeded: number;
  readonly p50: number;
  readonly p99: number;
}

export interface ListFigures {
  readonly ms: number;
  readonly devices: number;
}

/** A server under measurement. */
export function serveEngine(options: Library.EngineOptions, more: Handlers = {}): void {
  const engine = new Engine({
    ...options,
    host: '127.0.0.1',
    coapPort: 0,
    noSec: 'loopback',
    observationRate: 1_000_000,
  });
  let notified = 0;
  let waiting: Library.OrderRun | undefined;
  let blocking: NodeJS.Timeout | undefined;
  serve({
    listen: async () => {
      await engine.start();
      return engine.addresses[0]?.port;
    },
    /** Reads from every device in turn, `window` at a time. */
    read: async ({ endpoints, total, window }: { endpoints: string[]; total: number; window: number }) => {
      let next = 0;
      const worker = async () => {
        while (next < total) {
          const endpoint = endpoints[next++ % endpoints.length] ?? '';
          await engine.perform(endpoint, { operation: 'read', paths: [manufacturer] });
        }
      };
      await Promise.all(Array.from({ length: window }, worker));
    },
    /** Observes a resource of all devices; resolves when all have answered. */
    observe: async () => {
      const total = engine.devices().length;
      await new Promise<void>((resolve, reject) => {
        let answered = 0;
        engine
          .observePolicy(
            'bench',
            { target: { all: true }, paths: [onOff] },
            {
              value: () => {
                if (answered === total) notified += 1;
                else if (++answered === total) resolve();
              },
              failed: ({ error }) => reject(error),
            },
          )
          .catch(reject);
      });
    },
    /** How many notifications the listener has heard. */
    notified: () => notified,
    /** One order to all devices, followed as a flow does; gives back what became of it. */
    orderAll: async (user?: string) => {
      const began = performance.now();
      const confirmed: number[] = [];
      const run = engine.order({ target: all, operation: switchOn, user });
      run.onResult(() => confirmed.push(performance.now() - began));
      run.onProgress(() => undefined);
      const { total, succeeded } = await run.finished;
      return { total, succeeded, p50: quantile(confirmed, 0.5), p99: quantile(confirmed, 0.99) } satisfies OrderFigures;
    },
    /** The same for devices that sleep: resolves when all members wait, each in the store. */
    orderSleepers: () =>
      new Promise<void>((resolve) => {
        waiting = engine.order({ target: all, operation: switchOn });
        let queued = 0;
        waiting.onQueued(() => {
          if (++queued === waiting?.members.length) resolve();
        });
      }),
    /** How many of them it reached, when all have awoken. */
    orderDelivered: async () => (await waiting?.finished)?.succeeded,
    /** How many devices are asleep. */
    asleep: () => engine.devices().filter(({ connectivity }) => connectivity === 'asleep').length,
    /** From now on it is asked who may do what, and somebody hears of all that happens to devices. */
    supervise: (access: Library.AccessSettings) => {
      engine.setAccess(access);
      engine.on('device', () => undefined);
    },
    provision: async (records: unknown[]) => {
      await engine.provisionAll(records);
    },
    /** How many entries the audit trail has of what a user did, 10,000 at the most. */
    audited: async (user: string) => (await engine.audit({ user, limit: 10_000 })).length,
    /** Reads a resource of all devices, so that its value is known. */
    readAll: async ({ path, user }: { path: string; user: string }) => {
      const operation = { operation: 'read', paths: [parsePath(path)] } as const;
      return (await engine.order({ target: all, operation, user }).finished).succeeded;
    },
    /** What `lwm2m-devices` does; with a user only what he may read. Gives back how long it took, ms, and how many there are. */
    list: async (user?: string) => {
      const began = performance.now();
      const isReadable = (endpoint: string, path: Library.Path) =>
        engine.denial('read', endpoint, user, [path]) === undefined;
      const { devices } = await engine.listDevices({ all: true }, user === undefined ? {} : { isReadable });
      return { ms: performance.now() - began, devices: devices.length } satisfies ListFigures;
    },
    /** How many values of devices are known. */
    values: () => engine.devices().reduce((sum, { values }) => sum + Object.keys(values).length, 0),
    /** From now on something else in the process blocks the event loop again and again, ms, and lets it go on between, ms. */
    blockLoop: ({ block, pause }: { block: number; pause: number }) => {
      const work = () => {
        const until = performance.now() + block;
        while (performance.now() < until);
        blocking = setTimeout(work, pause);
      };
      blocking = setTimeout(work, 0);
    },
    releaseLoop: () => clearTimeout(blocking),
    ...more,
  });
}
