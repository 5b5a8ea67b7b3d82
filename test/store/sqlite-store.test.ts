import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { SqliteStore } from '../../src/store/sqlite/sqlite-store';
import { SimulatedClock } from '../support/simulated-clock';
import { storeContract } from './store-contract';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'lwm2m-store-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

storeContract('The store in files', async () => {
  const clock = new SimulatedClock();
  const store = new SqliteStore({ directory, clock });
  await store.open();
  return { store, clock };
});
