import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { serverKeyIn } from '../../nodes/lwm2m-server/server-key';

describe("a server's own key", () => {
  let home: string;
  let warnings: string[];
  const warn = (text: string): number => warnings.push(text);

  beforeEach(() => {
    home = mkdtempSync(path.join(tmpdir(), 'lwm2m-'));
    warnings = [];
  });

  afterEach(() => rmSync(home, { recursive: true, force: true }));

  it('is made on P-256 at the first start, for its owner only, and is the same ever after', () => {
    const directory = path.join(home, 'lwm2m', 'server');
    const key = serverKeyIn(directory, warn);
    assert.equal(createPrivateKey(key).asymmetricKeyDetails?.namedCurve, 'prime256v1');
    assert.equal(serverKeyIn(directory, warn), key);
    const file = path.join(directory, 'server-key.pem');
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(statSync(directory).mode & 0o777, 0o700);
    assert.equal(readFileSync(file, 'utf8'), key);
    assert.deepEqual(warnings, []);
  });

  it('is another one for another server', () => {
    assert.notEqual(serverKeyIn(path.join(home, 'a'), warn), serverKeyIn(path.join(home, 'b'), warn));
  });

  it('is made all the same where it cannot be kept, and that is said without showing it', () => {
    const file = path.join(home, 'file');
    writeFileSync(file, '');
    const key = serverKeyIn(file, warn);
    assert.equal(createPrivateKey(key).asymmetricKeyType, 'ec');
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /cannot be kept/);
    assert.ok(!warnings[0]?.includes('PRIVATE KEY'));
  });
});
