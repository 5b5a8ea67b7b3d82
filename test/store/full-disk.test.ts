import assert from 'node:assert/strict';
import { execFileSync, fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { Report } from './children/filling-disk';
import { temporaryDirectory } from './temporary-directory';

const CHILD = path.join(__dirname, 'children', 'filling-disk.ts');
/** Bytes a file of the child may have. */
const LIMIT = 400_000;

const NO_ROOM = /^the store in .* (the disk reports an error|no room left on its disk)/;

const canLimit = spawnSync('prlimit', ['--version']).status === 0;

describe('A store in files on a disk without room', function () {
  this.timeout(30_000);
  const directoryOf = temporaryDirectory();

  it('refuses what it cannot keep, has what it acknowledged, and is well when there is room again', async function () {
    if (!canLimit) return this.skip();
    // What tsx keeps of compiled files is limited, too, and must not end up where other tests find it.
    const child = fork(CHILD, [path.join(directoryOf(), 'store')], {
      execArgv: ['--import', 'tsx'],
      env: { ...process.env, TMPDIR: directoryOf() },
    });
    const limit = (bytes: string) => execFileSync('prlimit', [`--pid=${child.pid}`, `--fsize=${bytes}`]);
    const next = async () => {
      const report = once(child, 'message').then(([message]) => message as Report);
      const died = once(child, 'exit').then(() => assert.fail('the child ended'));
      return Promise.race([report, died]);
    };
    limit(`${LIMIT}:unlimited`);
    const full = await next();
    assert.match(full.refusal ?? '', NO_ROOM);
    assert.ok(full.acknowledged > 0);
    assert.equal(full.shown, 0);
    limit('unlimited:unlimited');
    child.send('there is room');
    const { acknowledged } = await next();
    assert.equal(acknowledged, full.acknowledged + 50);
    limit('1:unlimited');
    child.send('start without room');
    assert.match((await next()).refusal ?? '', NO_ROOM);
    limit('unlimited:unlimited');
    child.send('start with room');
    assert.equal((await next()).acknowledged, acknowledged);
  });
});
