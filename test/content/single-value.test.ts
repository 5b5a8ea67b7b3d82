import assert from 'node:assert/strict';
import { contentFormatId, encodeContent, NO_TYPES } from '../../src/content';
import { CodecError } from '../../src/errors';
import { parsePath } from '../../src/model';

describe('Formats of a single value', () => {
  for (const name of ['text', 'opaque', 'cbor'] as const) {
    const encode = (path: string, valuePath: string) =>
      encodeContent(
        contentFormatId(name),
        parsePath(path),
        [{ path: parsePath(valuePath), value: Buffer.from('x') }],
        NO_TYPES,
      );

    it(`${name} writes the value of the path asked for, and of no part of it`, () => {
      assert.ok(encode('/16/0/3', '/16/0/3').length > 0);
      assert.ok(encode('/16/0/0/7', '/16/0/0/7').length > 0);
      assert.throws(() => encode('/16/0/0', '/16/0/0/7'), CodecError, 'one instance of a multiple resource');
      assert.throws(() => encode('/16/0', '/16/0/3'), CodecError, 'one resource of an instance');
      assert.throws(() => encode('/16', '/16/0/3'), CodecError);
    });
  }
});
