/**
 * A process to be killed: a fleet of devices that registers, updates and de-registers, and receives orders, all at once,
 * straight on a store in files. Before each change, and after it was acknowledged, a line goes to a file, which like the
 * store's outlives the process. Run with the directory of the store, that file, and the number of the round.
 */
import { openSync, writeSync } from 'node:fs';
import { SqliteStore } from '../../../src/store/sqlite/sqlite-store';
import { orderOf } from '../order-of';
import { registrationOf } from '../store-contract';
import type { JournalLine } from '../journal';

const DEVICES = 200;
/** The parent is told after so many changes. */
const REPORT = 100;

const [, , directory = '', journalFile = '', round = ''] = process.argv;
const store = new SqliteStore({ directory });
const journal = openSync(journalFile, 'a');
let acknowledged = 0;

function note(line: JournalLine): void {
  writeSync(journal, `${JSON.stringify(line)}\n`);
}

/** @param value what the thing of this key is when the change is made; `null`: gone. */
async function change(key: string, value: string | null, make: () => unknown): Promise<void> {
  note({ asked: key, value });
  if ((await make()) === false) throw new Error(`${key} is not as it was left`);
  note({ done: key });
  acknowledged += 1;
  if (acknowledged % REPORT === 0) process.send?.(acknowledged);
}

async function live(device: number): Promise<never> {
  const endpoint = `lamp-${device}`;
  const { registrations, orders, devices, grants } = store;
  for (let turn = 0; ; turn += 1) {
    const revision = registrations.byEndpoint(endpoint)?.revision ?? 0;
    const registration = registrationOf({ endpoint, id: `${endpoint}-${round}-${turn}`, revision: revision + 1 });
    const update = { ...registration, revision: revision + 2, lifetime: 61 };
    const order = `${endpoint}-${round}-${turn}`;
    await Promise.all([
      change(`registration ${endpoint}`, `${registration.id} ${revision + 1}`, () =>
        registrations.put(registration, revision),
      ),
      change(`order ${order}`, endpoint, () => orders.put(order, orderOf(endpoint))),
    ]);
    await change(`registration ${endpoint}`, `${update.id} ${revision + 2}`, () =>
      registrations.put(update, revision + 1),
    );
    await change(`order ${order}`, null, () => orders.remove(order));
    if (turn % 5 === 4) {
      await change(`registration ${endpoint}`, null, () => registrations.remove(endpoint, revision + 2));
    }
    const record = devices.get(endpoint);
    const next = (record?.revision ?? 0) + 1;
    await change(`record ${endpoint}`, String(next), () =>
      devices.put({ endpoint, labels: {}, groups: [], priority: 'normal', revision: next }, next - 1),
    );
    if (turn % 7 === 0) {
      const id = `${endpoint}-${round}-${turn}`;
      const grant = { id, user: 'ann', target: { endpoint }, operations: [], from: 0, pauses: [], grantedAt: 0 };
      await change(`grant ${id}`, 'ann', () => grants.put(id, grant));
    }
  }
}

async function main(): Promise<void> {
  await store.open();
  await Promise.all(Array.from({ length: DEVICES }, (_unused, device) => live(device)));
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? '') : String(error)}\n`);
  process.exit(1);
});
