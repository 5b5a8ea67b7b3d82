import assert from 'node:assert/strict';
import { parsePath, type Operation } from '../../src';
import { CoapCode } from '../../src/coap';
import { Harness, pathOfRequest } from './harness';

describe('Partial update of a multiple resource', () => {
  let harness: Harness;

  afterEach(async () => {
    await harness.close();
  });

  for (const version of ['1.0', '1.1', '1.2']) {
    it(`goes to the object instance of a ${version} device, for a POST on a resource is an Execute`, async () => {
      harness = await Harness.start();
      const device = await harness.registered({ version, links: '</16/0>' });
      const operation: Operation = {
        operation: 'write',
        path: parsePath('/16/0/0'),
        value: { 1: 'b' },
        mode: 'update',
        contentFormat: 'tlv',
      };
      const { requests, result } = await harness.perform(device, operation, { code: CoapCode.Changed });
      assert.deepEqual(
        requests.map((request) => [request.code, pathOfRequest(request), request.payload.toString('hex')]),
        [[CoapCode.POST, '/16/0', '8300410162']],
      );
      assert.equal(result.path, '/16/0/0');
    });
  }
});
