import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { serveEngine, SqliteStore } from '../engine-subject';

/** Of devices in queue mode, s: they are to be asleep soon. */
const AWAKE_TIME = 2;

/** An engine with the durable store: in the directory given, else in one that goes with the process. */
const [, , given] = process.argv;
const directory = given ?? mkdtempSync(path.join(tmpdir(), 'lwm2m-bench-'));
if (given === undefined) process.on('exit', () => rmSync(directory, { recursive: true, force: true }));

serveEngine({ store: new SqliteStore({ directory }), awakeTime: AWAKE_TIME });
