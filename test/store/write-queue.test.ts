import assert from 'node:assert/strict';
import { StoreError } from '../../src/errors';
import type { WriteAnswer, WriteRequest } from '../../src/store/sqlite/messages';
import { WriteQueue, type Restoration, type Write } from '../../src/store/sqlite/write-queue';
import { silentLog } from '../../src/util/log';

/** A write of a thing that is told from others by its name. */
function writeOf(name: string): Write {
  return { statement: 'removeGrant', parameters: [name] };
}

function restorationOf(name: string): Restoration {
  return { key: name, writes: [writeOf(`${name} restored`)] };
}

/** A disk that answers when and what a test says. */
class ScriptedDisk {
  readonly lines: string[] = [];
  readonly #arrivals: (() => void)[] = [];
  readonly #requests: {
    request: WriteRequest;
    answer: (answer: WriteAnswer) => void;
    fail: (error: Error) => void;
  }[] = [];
  readonly queue = new WriteQueue({
    directory: '/d',
    log: { ...silentLog, info: (text) => this.lines.push(text), error: (text) => this.lines.push(text) },
    send: (request) =>
      new Promise<WriteAnswer>((answer, fail) => {
        this.#requests.push({ request, answer, fail });
        this.#arrivals.shift()?.();
      }),
  });

  /** The next batch. */
  async next() {
    if (this.#requests.length === 0) await new Promise<void>((resolve) => this.#arrivals.push(resolve));
    const next = this.#requests.shift();
    assert.ok(next !== undefined);
    const { request, answer, fail } = next;
    return {
      names: request.parameters,
      commit: () => answer({ rows: request.statements.map(() => 1), failed: [] }),
      refuse: (...indexes: number[]) => {
        const failed = indexes.map((index) => ({ index, fault: { message: 'bad', errcode: 18 }, doubtful: false }));
        answer({ rows: request.statements.map(() => 1), failed });
      },
      run: () => {
        const failed = request.statements.map((_statement, index) => ({
          index,
          fault: { message: 'full', errcode: 13 },
          doubtful: true,
        }));
        answer({ rows: request.statements.map(() => 0), failed });
      },
      die: () => fail(new StoreError('the worker has ended')),
    };
  }

  get waiting(): number {
    return this.#requests.length;
  }
}

describe('The queue of changes', () => {
  let disk: ScriptedDisk;
  const done: string[] = [];

  function write(name: string): Promise<number> {
    return disk.queue.write(
      writeOf(name),
      (rows) => {
        done.push(name);
        return rows;
      },
      () => restorationOf(name),
    );
  }

  beforeEach(() => {
    disk = new ScriptedDisk();
    done.length = 0;
  });

  it('writes all that is asked for at once as one batch, and what comes meanwhile as the next', async () => {
    const writes = [write('a'), write('b')];
    const first = await disk.next();
    assert.deepEqual(first.names, ['a', 'b']);
    writes.push(write('c'));
    await new Promise((resolve) => setImmediate(resolve));
    writes.push(write('d'));
    assert.equal(disk.waiting, 0, 'one batch at a time');
    assert.deepEqual(done, [], 'nothing is acknowledged before it is safe');
    first.commit();
    const second = await disk.next();
    assert.deepEqual(done, ['a', 'b']);
    assert.deepEqual(second.names, ['c', 'd']);
    second.commit();
    assert.deepEqual(await Promise.all(writes), [1, 1, 1, 1]);
  });

  it('bounds a batch, and what waits', async () => {
    const first = write('first');
    const batch = await disk.next();
    const many = Array.from({ length: 100_000 }, (_unused, n) => write(`n${n}`));
    await assert.rejects(write('too many'), /too many changes wait for the store in \/d/);
    batch.commit();
    await first;
    for (let n = 0; n < 100; n += 1) {
      const next = await disk.next();
      assert.equal(next.names.length, 1_000);
      next.commit();
    }
    await Promise.all(many);
    assert.equal(done.length, 100_001);
    assert.equal(done.at(-1), 'n99999');
  });

  it('fails what is itself at fault, and nothing else', async () => {
    const outcomes = Promise.allSettled([write('a'), write('bad'), write('c')]);
    (await disk.next()).refuse(1);
    assert.deepEqual(
      (await outcomes).map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
    assert.deepEqual(done, ['a', 'c']);
    assert.deepEqual(disk.lines, [], 'the store itself is well');
  });

  for (const how of ['run', 'die'] as const) {
    it(`${how === 'run' ? 'that meets trouble' : 'whose worker dies'} first restores what is in doubt, until it could`, async () => {
      const outcomes = Promise.allSettled([write('a'), write('b'), write('a')]);
      (await disk.next())[how]();
      for (const outcome of await outcomes) {
        assert.equal(outcome.status, 'rejected');
        assert.ok(outcome.reason instanceof StoreError);
      }
      assert.deepEqual(done, []);
      assert.equal(disk.waiting, 0, 'tried with the next change, not all the time');

      const second = assert.rejects(write('c'), StoreError);
      const again = await disk.next();
      assert.deepEqual(again.names, ['a restored', 'b restored', 'c']);
      again[how]();
      await second;
      assert.equal(disk.lines.length, 1, 'trouble is said once');

      const third = write('a');
      const last = await disk.next();
      assert.deepEqual(last.names, ['a restored', 'b restored', 'c restored', 'a']);
      last.commit();
      await third;
      assert.deepEqual(done, ['a']);
      assert.match(disk.lines[1] ?? '', /is well again/);

      const fourth = write('d');
      const clean = await disk.next();
      assert.deepEqual(clean.names, ['d']);
      clean.commit();
      await fourth;
    });
  }

  it('is flushed when nothing waits and nothing is under way', async () => {
    await disk.queue.flushed();
    const first = write('a');
    let isFlushed = false;
    const flushed = disk.queue.flushed().then(() => (isFlushed = true));
    const batch = await disk.next();
    const second = write('b');
    batch.commit();
    await first;
    const last = await disk.next();
    assert.equal(isFlushed, false);
    last.commit();
    await second;
    await flushed;
  });
});
