import './quiet-sqlite';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { DatabaseFile, type Change } from './database-file';
import { faultOf } from './fault';
import type {
  Answer,
  AnswerOf,
  FailedWrite,
  Numbered,
  Request,
  WorkerData,
  WriteAnswer,
  WriteRequest,
} from './messages';
import { LAYOUTS, STATEMENTS, type FileName } from './schema';

/** The thread that holds the files of a store: it does what it is asked, one request after another. */

const { directory, opening } = workerData as WorkerData;

function fileOf(name: FileName): DatabaseFile {
  return new DatabaseFile({ path: path.join(directory, `${name}.db`), layout: LAYOUTS[name], opening });
}

const files: Readonly<Record<FileName, DatabaseFile>> = { lwm2m: fileOf('lwm2m'), values: fileOf('values') };

function answerTo(request: Request): AnswerOf[keyof AnswerOf] {
  switch (request.kind) {
    case 'open':
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      files.lwm2m.open();
      files.values.open();
      return undefined;
    case 'take':
      files.lwm2m.take();
      files.values.take();
      return undefined;
    case 'write':
      return write(request);
    case 'read':
      return files[request.file].read(request.sql, request.parameters);
    case 'close':
      files.lwm2m.close();
      files.values.close();
      return undefined;
  }
}

/** One transaction a file; trouble with one is none of the other's. */
function write({ statements, parameters }: WriteRequest): WriteAnswer {
  const changes: Record<FileName, Change[]> = { lwm2m: [], values: [] };
  let next = 0;
  statements.forEach((name, index) => {
    const { file, sql, parameters: count } = STATEMENTS[name];
    changes[file].push({ index, sql, parameters: parameters.slice(next, next + count) });
    next += count;
  });
  const rows = new Array<number>(statements.length).fill(0);
  const failed: FailedWrite[] = [];
  for (const name of ['lwm2m', 'values'] as const) {
    if (changes[name].length > 0) failed.push(...files[name].write(changes[name], rows));
  }
  return { rows, failed };
}

function answer({ number, request }: Numbered): Answer {
  try {
    return { number, value: answerTo(request) };
  } catch (error) {
    return { number, fault: faultOf(error) };
  }
}

parentPort?.on('message', (message: Numbered) => parentPort?.postMessage(answer(message)));
