import assert from 'node:assert/strict';
import { parsePath, type ContentFormatName, type Operation } from '../../src';
import { CoapCode } from '../../src/coap';
import { Harness, pathOfRequest } from './harness';

describe('Create of an instance without resources', () => {
  let harness: Harness;

  afterEach(async () => {
    await harness.close();
  });

  for (const [wish, format, payload] of [
    [undefined, 11542, '0005'],
    ['senml-json', 11542, '0005'],
    ['lwm2m-cbor', 11544, 'a11982c5a105a0'],
  ] as const) {
    it(`carries its id${wish === undefined ? '' : `, though ${wish} is wished for`}`, async () => {
      harness = await Harness.start();
      const device = await harness.registered({ links: '</>;ct=112,</33477>' });
      const operation: Operation = {
        operation: 'create',
        path: parsePath('/33477/5'),
        value: {},
        contentFormat: wish as ContentFormatName | undefined,
      };
      const { requests, result } = await harness.perform(device, operation, { code: CoapCode.Created });
      assert.deepEqual(
        requests.map((request) => [
          pathOfRequest(request),
          request.options.contentFormat,
          request.payload.toString('hex'),
        ]),
        [['/33477', format, payload]],
      );
      assert.equal(result.payload, '/33477/5');
    });
  }
});
