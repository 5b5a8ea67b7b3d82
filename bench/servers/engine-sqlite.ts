import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { serveEngine, SqliteStore } from '../engine-subject';

/** An engine with the durable store, in a directory that goes with the process. */
const directory = mkdtempSync(path.join(tmpdir(), 'lwm2m-bench-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));

serveEngine({ store: new SqliteStore({ directory }) });
