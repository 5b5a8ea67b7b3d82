import { createRequire } from 'node:module';
import type * as Library from '../src/index';
import { serve, type Handlers } from './serve';

/** What is shipped is measured: the library as `npm run build` compiles it. */
export const { Engine, SqliteStore, parsePath } = createRequire(__filename)('../dist/src/index.js') as typeof Library;

const onOff = parsePath('/3311/0/5850');
const manufacturer = parsePath('/3/0/0');

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
    /** One order to all devices; gives back what became of it. */
    orderAll: async () => {
      const began = performance.now();
      const confirmed: number[] = [];
      const run = engine.order({
        target: { selector: 'ep=*' },
        operation: { operation: 'write', path: onOff, value: true, mode: 'replace' },
      });
      run.onResult(() => confirmed.push(performance.now() - began));
      const { total, succeeded } = await run.finished;
      confirmed.sort((a, b) => a - b);
      return { total, succeeded, p50: confirmed[total >> 1], p99: confirmed[Math.floor(total * 0.99)] };
    },
    ...more,
  });
}
