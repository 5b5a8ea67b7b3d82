import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { DatabaseFile, type Change } from '../../src/store/sqlite/database-file';
import { faultOf, storeErrorOf } from '../../src/store/sqlite/fault';
import type { FailedWrite, SqlValue } from '../../src/store/sqlite/messages';
import type { FileLayout, Migration } from '../../src/store/sqlite/schema';
import { temporaryDirectory } from './temporary-directory';

const OPENING = 'CREATE TABLE opening (only INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT';
const CATS: Migration = (database) => database.exec(`${OPENING}; CREATE TABLE cats (name TEXT PRIMARY KEY) STRICT`);
const AGES: Migration = (database) => {
  database.exec("ALTER TABLE cats ADD COLUMN age INTEGER NOT NULL DEFAULT 7; UPDATE cats SET name = name || '!'");
};
const FAILING: Migration = (database) => database.exec('DELETE FROM cats; INSERT INTO dogs VALUES (1)');

const INSERT = 'INSERT INTO cats (name) VALUES (?)';
const NAMES = 'SELECT name FROM cats ORDER BY name';

describe('A file of the store', () => {
  const directoryOf = temporaryDirectory();
  const files: DatabaseFile[] = [];

  function fileWith(
    migrations: readonly Migration[],
    opening = 'first',
    synchronous: FileLayout['synchronous'] = 'FULL',
  ) {
    const file = new DatabaseFile({
      path: path.join(directoryOf(), 'cats.db'),
      layout: { synchronous, migrations },
      opening,
    });
    files.push(file);
    return file;
  }

  function openFile(migrations: readonly Migration[], opening?: string): DatabaseFile {
    const file = fileWith(migrations, opening);
    file.open();
    file.take();
    return file;
  }

  function insert(file: DatabaseFile, ...names: SqlValue[]): FailedWrite[] {
    return file.write(
      names.map((name, index): Change => ({ index, sql: INSERT, parameters: [name] })),
      [],
    );
  }

  afterEach(() => {
    for (const file of files.splice(0)) file.close();
  });

  describe('of an older version', () => {
    it('is brought to the newest, with what is in it', () => {
      const old = openFile([CATS]);
      assert.deepEqual(insert(old, 'tom', 'kitty'), []);
      old.close();
      const file = openFile([CATS, AGES]);
      assert.deepEqual(file.read('SELECT name, age FROM cats ORDER BY name', []), [
        ['kitty!', 7],
        ['tom!', 7],
      ]);
      assert.deepEqual(file.read('PRAGMA user_version', []), [[2]]);
      file.close();
      assert.deepEqual(openFile([CATS, AGES]).read(NAMES, []), [['kitty!'], ['tom!']], 'once only');
    });

    it('that was written by hand is brought to the newest', () => {
      const database = new DatabaseSync(path.join(directoryOf(), 'cats.db'));
      database.exec(`
        ${OPENING};
        CREATE TABLE cats (name TEXT PRIMARY KEY) STRICT;
        INSERT INTO cats VALUES ('tom');
        PRAGMA application_id = 0x4c774d32;
        PRAGMA user_version = 1;
      `);
      database.close();
      assert.deepEqual(openFile([CATS, AGES]).read('SELECT name, age FROM cats', []), [['tom!', 7]]);
    });

    it('stays as it was when one step of several fails', () => {
      const old = openFile([CATS]);
      insert(old, 'tom');
      old.close();
      assert.throws(() => fileWith([CATS, AGES, FAILING]).open(), /no such table: dogs/);
      const again = openFile([CATS]);
      assert.deepEqual(again.read(NAMES, []), [['tom']]);
      assert.deepEqual(again.read('PRAGMA user_version', []), [[1]]);
    });

    it('of a newer one is left as it is', () => {
      openFile([CATS, AGES]).close();
      const before = readFileSync(path.join(directoryOf(), 'cats.db'));
      assert.throws(() => fileWith([CATS]).open(), /newer version of this software \(schema 2, known here: 1\)/);
      assert.deepEqual(readFileSync(path.join(directoryOf(), 'cats.db')), before);
    });
  });

  it('leaves out a change that is itself at fault, and does the rest', () => {
    const file = openFile([CATS]);
    const failed = insert(file, 'tom', 'tom', 'kitty', undefined as unknown as SqlValue, 'felix');
    assert.deepEqual(
      failed.map(({ index, doubtful }) => [index, doubtful]),
      [
        [1, false],
        [3, false],
      ],
    );
    assert.match(failed[0]?.fault.message ?? '', /UNIQUE constraint failed/);
    assert.deepEqual(file.read(NAMES, []), [['felix'], ['kitty'], ['tom']]);
  });

  it('that is full does none of the changes, says so, and goes on when there is room', () => {
    const file = openFile([CATS, (database) => database.exec('PRAGMA max_page_count = 40')]);
    assert.deepEqual(insert(file, 'tom'), []);
    const failed = insert(file, 'kitty', 'x'.repeat(400_000), 'felix');
    assert.deepEqual(
      failed.map(({ index, doubtful }) => [index, doubtful]),
      [
        [0, true],
        [1, true],
        [2, true],
      ],
    );
    const error = storeErrorOf(failed[0]?.fault ?? faultOf('none'), '/data/lwm2m');
    assert.equal(error.message, 'the store in /data/lwm2m has no room left on its disk');
    assert.ok(error.cause instanceof Error);
    assert.equal((error.cause as Error & { errcode?: number }).errcode, 13);
    assert.deepEqual(file.read(NAMES, []), [['tom']]);
    assert.deepEqual(insert(file, 'kitty'), []);
    assert.deepEqual(file.read(NAMES, []), [['kitty'], ['tom']]);
  });

  it('is believed again after trouble only when nobody else had it meanwhile', () => {
    const file = openFile([CATS], 'first');
    file.close();
    assert.deepEqual(insert(file, 'tom'), [], 'nobody had it');
    file.close();
    openFile([CATS], 'second').close();
    assert.match(insert(file, 'kitty')[0]?.fault.message ?? '', /was used by another process meanwhile/);
  });

  for (const synchronous of ['FULL', 'NORMAL'] as const) {
    it(`is written with synchronous = ${synchronous} where that was asked for`, () => {
      const file = fileWith([CATS], 'first', synchronous);
      file.open();
      assert.deepEqual(file.read('PRAGMA synchronous', []), [[synchronous === 'FULL' ? 2 : 1]]);
      assert.deepEqual(file.read('PRAGMA journal_mode', []), [['wal']]);
    });
  }
});

describe('The trouble of a store', () => {
  const textOf = (fault: object) => storeErrorOf({ message: 'as found', ...fault }, '/d').message;

  it('is said in words for people, by SQLite and by the system', () => {
    assert.match(textOf({ errcode: 11 }), /^the store in \/d is damaged/);
    assert.match(textOf({ errcode: 26 }), /is damaged/);
    assert.match(textOf({ errcode: 8 | (1 << 8) }), /look at the rights/);
    assert.match(textOf({ errcode: 14 }), /look at the rights/);
    assert.match(textOf({ errcode: 10 | (3 << 8) }), /the disk reports an error/);
    assert.match(textOf({ errcode: 13 }), /no room left/);
    assert.match(textOf({ errcode: 5 }), /in use by another process/);
    assert.match(textOf({ code: 'EACCES' }), /look at the rights/);
    assert.match(textOf({ code: 'EROFS' }), /look at the rights/);
    assert.match(textOf({ code: 'ENOSPC' }), /no room left/);
    assert.equal(textOf({}), 'the store in /d is in trouble: as found');
  });
});
