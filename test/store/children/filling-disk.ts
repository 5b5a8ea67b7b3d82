/**
 * A process whose files may not grow past a limit: it puts registrations until the store refuses, tells its parent, and when
 * it is told that there is room goes on with the one that was refused. Then it starts anew, first without any room and, when
 * it is told, with room. Run with the directory of the store.
 */
import { once } from 'node:events';
import { SqliteStore } from '../../../src/store/sqlite/sqlite-store';
import { registrationOf } from '../store-contract';

const PER_TURN = 50;

/** What the parent is told. */
export interface Report {
  /** How many registrations were acknowledged. */
  readonly acknowledged: number;
  /** What the store said when it refused. */
  readonly refusal?: string;
  /** How many of the refused ones the store shows all the same. */
  readonly shown?: number;
}

const [, , directory = ''] = process.argv;
const store = new SqliteStore({ directory });

function tell(report: Report): void {
  process.send?.(report);
}

async function putTurn(turn: number): Promise<PromiseSettledResult<boolean>[]> {
  const puts = Array.from({ length: PER_TURN }, async (_unused, n) => {
    const endpoint = `lamp-${turn}-${n}`;
    return store.registrations.put(registrationOf({ endpoint, id: endpoint, profileId: 'p'.repeat(500) }), 0);
  });
  return Promise.allSettled(puts);
}

async function main(): Promise<void> {
  await store.open();
  let turn = 0;
  for (;;) {
    const refused = (await putTurn(turn)).find((outcome) => outcome.status === 'rejected');
    if (refused !== undefined) {
      const shown = store.registrations.count() - turn * PER_TURN;
      tell({ acknowledged: turn * PER_TURN, refusal: String(refused.reason), shown });
      break;
    }
    turn += 1;
  }
  await once(process, 'message');
  for (const outcome of await putTurn(turn)) if (outcome.status === 'rejected') throw outcome.reason;
  await store.check();
  const acknowledged = store.registrations.count();
  await store.close();
  tell({ acknowledged });
  await once(process, 'message');
  tell({ acknowledged, refusal: String(await store.open().catch((error: unknown) => error)) });
  await once(process, 'message');
  await store.open();
  tell({ acknowledged: store.registrations.count() });
  await store.close();
  process.disconnect();
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? '') : String(error)}\n`);
  process.exit(1);
});
