import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { formerServerKeyIn, removeServerKeyFrom, serverKeyIn } from '../../nodes/lwm2m-server/server-key';

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

  it('is taken over from its file, which goes when the store has that key and no other', () => {
    const file = path.join(home, 'server-key.pem');
    assert.equal(formerServerKeyIn(home, warn), undefined);
    const key = serverKeyIn(home, warn);
    assert.equal(formerServerKeyIn(home, warn), key);
    const publicKeyOf = (pem: string): string =>
      createPublicKey(pem).export({ format: 'der', type: 'spki' }).toString('base64');
    assert.equal(removeServerKeyFrom(home, key, undefined), false);
    assert.equal(removeServerKeyFrom(home, key, publicKeyOf(serverKeyIn(path.join(home, 'other'), warn))), false);
    assert.equal(readFileSync(file, 'utf8'), key);
    assert.equal(removeServerKeyFrom(home, key, publicKeyOf(key)), true);
    assert.equal(existsSync(file), false);
    assert.deepEqual(warnings, []);
  });

  it('is left where it is when its file holds none', () => {
    const file = path.join(home, 'server-key.pem');
    writeFileSync(file, 'half a key');
    assert.equal(formerServerKeyIn(home, warn), undefined);
    assert.match(warnings[0] ?? '', /cannot be read, and is not taken over/);
    assert.equal(readFileSync(file, 'utf8'), 'half a key');
    rmSync(file);
    mkdirSync(file);
    assert.equal(formerServerKeyIn(home, warn), undefined);
    assert.equal(warnings.length, 2);
  });
});
