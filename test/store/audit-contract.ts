import assert from 'node:assert/strict';
import type { AuditEntry, AuditQuery, AuditStore } from '../../src/access';

function entryOf(changes: Partial<AuditEntry> = {}): AuditEntry {
  return { at: 1_000, operation: 'write', paths: ['/3311/0/5850'], outcome: 'succeeded', ...changes };
}

/** What every `AuditStore` promises. */
export function auditContract(auditIn: () => AuditStore): void {
  describe('for the audit', () => {
    const found = async (query: Partial<AuditQuery>) => auditIn().query({ limit: 100, ...query });
    const operations = async (query: Partial<AuditQuery>) => (await found(query)).map(({ operation }) => operation);

    it('keeps entries whole, newest first, with numbers that grow', async () => {
      const whole = entryOf({
        user: 'ann\0',
        endpoint: 'lamp-1',
        paths: ['/3/0/0', '/3/0/1'],
        outcome: 'failed',
        code: '4.04',
        error: 'RESPONSE',
        run: 'run-1',
      });
      await auditIn().append(whole);
      await auditIn().append(entryOf());
      const [second, first] = await found({});
      assert.deepEqual(second, { ...entryOf(), number: second?.number });
      assert.deepEqual(first, { ...whole, number: first?.number });
      assert.ok((second?.number ?? 0) > (first?.number ?? 0));
    });

    it('narrows by each term of the query, and by all of them together', async () => {
      const audit = auditIn();
      await audit.append(entryOf({ operation: 'a', at: 1_000, user: 'ann', endpoint: 'x' }));
      await audit.append(entryOf({ operation: 'b', at: 2_000, user: 'bob', endpoint: 'x', outcome: 'denied' }));
      await audit.append(entryOf({ operation: 'c', at: 3_000, user: 'ann', endpoint: 'y' }));
      await audit.append(entryOf({ operation: 'd', at: 3_000 }));
      assert.deepEqual(await operations({ from: 2_000 }), ['d', 'c', 'b']);
      assert.deepEqual(await operations({ to: 3_000 }), ['b', 'a']);
      assert.deepEqual(await operations({ from: 2_000, to: 3_000 }), ['b']);
      assert.deepEqual(await operations({ user: 'ann' }), ['c', 'a']);
      assert.deepEqual(await operations({ endpoint: 'x' }), ['b', 'a']);
      assert.deepEqual(await operations({ operation: 'c' }), ['c']);
      assert.deepEqual(await operations({ outcome: 'denied' }), ['b']);
      assert.deepEqual(await operations({ user: 'ann', endpoint: 'x', from: 500, to: 1_500 }), ['a']);
      assert.deepEqual(await operations({ user: 'nobody' }), []);
    });

    it('gives pages', async () => {
      const audit = auditIn();
      await Promise.all(
        Array.from({ length: 25 }, async (_unused, n) => audit.append(entryOf({ operation: `o${n % 2}`, at: n }))),
      );
      const times: number[] = [];
      let before: number | undefined;
      for (;;) {
        const page = await found({ limit: 5, operation: 'o0', ...(before === undefined ? {} : { before }) });
        if (page.length === 0) break;
        assert.ok(page.length <= 5);
        times.push(...page.map(({ at }) => at));
        before = page.at(-1)?.number;
      }
      assert.deepEqual(
        times,
        Array.from({ length: 13 }, (_unused, n) => 24 - 2 * n),
      );
    });
  });
}
