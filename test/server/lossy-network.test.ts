import assert from 'node:assert/strict';
import { parsePath } from '../../src';
import { CoapCode } from '../../src/coap';
import { Harness } from './harness';

describe('Operations over a bad network', () => {
  for (const seed of [1, 2, 3]) {
    it(`end with the right value or with TIMEOUT, and a write is done (seed ${seed})`, async () => {
      const harness = await Harness.start();
      const device = await harness.registered({ lifetime: 86_400 });
      harness.network.options = { seed, loss: 0.2, duplicate: 0.2, reorder: 0.3, reorderDelay: 500, delay: 20 };
      let dimmer = 0;
      const seen = new Set<number>();
      const serve = (): void => {
        void device.expectRequest().then((request) => {
          const { message } = request;
          if (message.code === CoapCode.PUT) {
            dimmer = Number(message.payload.toString());
            request.reply(CoapCode.Changed);
          } else {
            request.reply(CoapCode.Content, { contentFormat: 0 }, String(dimmer));
          }
          seen.add(message.messageId);
          serve();
        });
      };
      serve();
      const path = parsePath('/3311/0/5851');
      const outcomes: string[] = [];
      for (let n = 1; n <= 20; n += 1) {
        const order = (async () => {
          await harness.engine.perform('lamp-1', { operation: 'write', path, value: n, mode: 'replace' });
          const { payload } = await harness.engine.perform('lamp-1', { operation: 'read', paths: [path] });
          assert.equal(payload, n);
          return 'right';
        })().catch((error: { code?: string }) => error.code ?? 'wrong');
        await harness.clock.advance(200_000);
        outcomes.push(await order);
      }
      assert.deepEqual(
        outcomes.filter((outcome) => outcome !== 'right' && outcome !== 'TIMEOUT'),
        [],
      );
      assert.ok(outcomes.filter((outcome) => outcome === 'right').length >= 15, outcomes.join());
      assert.ok(seen.size >= 30);
      await harness.close();
    });
  }
});
