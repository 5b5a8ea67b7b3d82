import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { SqliteStore } from '../../src/store/sqlite/sqlite-store';
import { Journal } from './journal';
import { thingsOf } from './keyed-contract';
import { temporaryDirectory } from './temporary-directory';

const isSoak = process.env.SOAK === '1';
const KILLS = isSoak ? 100 : 8;
const CHILD = path.join(__dirname, 'children', 'restless-fleet.ts');

/** What a store holds, in the words of the journal. */
async function contentsOf(store: SqliteStore): Promise<Map<string, string>> {
  const contents = new Map<string, string>();
  for (const { endpoint, id, revision } of store.registrations.all()) {
    contents.set(`registration ${endpoint}`, `${id} ${revision}`);
  }
  for (const { endpoint, revision } of store.devices.all()) contents.set(`record ${endpoint}`, String(revision));
  for (const [id, order] of await thingsOf(store.orders)) {
    contents.set(`order ${id}`, (order as { endpoint: string }).endpoint);
  }
  for (const [id, grant] of await thingsOf(store.grants)) contents.set(`grant ${id}`, (grant as { user: string }).user);
  return contents;
}

describe('A store in files whose process is killed', function () {
  this.timeout(KILLS * 10_000);
  const directoryOf = temporaryDirectory();

  /** Runs the fleet until it has said `reports` times how far it is, then kills it in the middle of everything. */
  async function runAndKill(journalFile: string, round: number, reports: number): Promise<void> {
    const child = fork(CHILD, [path.join(directoryOf(), 'store'), journalFile, String(round)], {
      execArgv: ['--import', 'tsx'],
    });
    const ended = once(child, 'exit');
    let reported = 0;
    child.on('message', () => {
      reported += 1;
      // Not at the moment of its report, which is always the same one of a batch.
      if (reported === reports) setTimeout(() => child.kill('SIGKILL'), round % 5);
    });
    const [, signal] = (await ended) as [number | null, NodeJS.Signals | null];
    assert.equal(signal, 'SIGKILL', 'it did not end by itself');
  }

  it(`${KILLS} times has all that it acknowledged`, async () => {
    const journal = new Journal();
    for (let round = 1; round <= KILLS; round += 1) {
      const journalFile = path.join(directoryOf(), `journal-${round}`);
      writeFileSync(journalFile, '');
      await runAndKill(journalFile, round, 1 + (round % 17));
      journal.read(readFileSync(journalFile, 'utf8'));

      const store = new SqliteStore({ directory: path.join(directoryOf(), 'store') });
      await store.open();
      const contents = await contentsOf(store);
      await store.close();
      for (const key of new Set([...journal.keys(), ...contents.keys()])) {
        const found = contents.get(key) ?? null;
        const possible = journal.possible(key);
        assert.ok(possible.has(found), `round ${round}: ${key} is ${found}, and may be ${[...possible].join(' or ')}`);
        journal.settle(key, found);
      }
    }
    assert.ok(journal.count > KILLS * 100, 'enough was acknowledged to be lost');
  });
});
