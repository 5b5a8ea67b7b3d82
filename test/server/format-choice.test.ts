import assert from 'node:assert/strict';
import { parsePath, type ContentFormatName, type Operation } from '../../src';
import { CoapCode } from '../../src/coap';
import { Harness } from './harness';

describe('The format wished for', () => {
  let harness: Harness;

  beforeEach(async () => {
    harness = await Harness.start();
  });

  afterEach(async () => {
    await harness.close();
  });

  const read = (path: string, contentFormat: ContentFormatName): Operation => ({
    operation: 'read',
    paths: [parsePath(path)],
    contentFormat,
  });

  for (const [name, id] of [
    ['text', 0],
    ['opaque', 42],
    ['cbor', 60],
  ] as const) {
    it(`is asked for where one value is: ${name}`, async () => {
      const device = await harness.registered();
      const tlv = { code: CoapCode.Content, options: { contentFormat: 11542 } };
      const accepts: (number | undefined)[] = [];
      // An object, an instance and a multiple resource, which it cannot carry; a resource instance and a resource.
      for (const path of ['/3', '/3/0', '/3/0/7', '/3/0/7/0', '/3/0/0']) {
        const { requests } = await harness.perform(device, read(path, name), tlv);
        accepts.push(...requests.map(({ options }) => options.accept));
      }
      assert.deepEqual(accepts, [undefined, undefined, undefined, id, id]);
    });
  }
});
