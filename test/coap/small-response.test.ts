import assert from 'node:assert/strict';
import { CoapCode } from '../../src/coap';
import { CoapFixture } from '../support/coap-fixture';

const ECHO = Buffer.from('0102030405060708', 'hex');
const LARGE = Buffer.alloc(3000, 'x');

describe('A large response to an address that may be forged', () => {
  let fixture: CoapFixture;

  beforeEach(async () => {
    fixture = await CoapFixture.open({ doubt: (_, echo) => (echo?.equals(ECHO) === true ? undefined : ECHO) });
  });

  afterEach(async () => {
    await fixture.stack.close();
  });

  it('waits for the Echo option to come back (RFC 9175 s2.4), and is not kept until then', async () => {
    fixture.answer = () => ({ code: CoapCode.Content, payload: LARGE });
    const device = fixture.device();
    const demand = await device.request(CoapCode.GET, { uriPath: ['x'] });
    assert.deepEqual([demand.code, demand.options.echo, demand.payload.length], [CoapCode.Unauthorized, ECHO, 0]);
    assert.equal(fixture.stack.transferBytes, 0);
    const first = await device.request(CoapCode.GET, { uriPath: ['x'], echo: ECHO });
    assert.deepEqual([first.code, first.options.block2?.more, first.payload.length], [CoapCode.Content, true, 1024]);
    const block2 = { num: 1, more: false, szx: 6 };
    const next = await device.request(CoapCode.GET, { uriPath: ['x'], block2 });
    assert.equal(next.code, CoapCode.Unauthorized);
    const verified = await device.request(CoapCode.GET, { uriPath: ['x'], block2, echo: ECHO });
    assert.equal(verified.code, CoapCode.Content);
  });

  it('is cut when it is an error, between characters', async () => {
    fixture.answer = () => ({ code: CoapCode.BadRequest, payload: Buffer.from(`x${'\u{1F4A1}'.repeat(50)}`) });
    const { payload } = await fixture.device().request(CoapCode.GET, {});
    assert.equal(payload.toString(), `x${'\u{1F4A1}'.repeat(17)}`);
  });

  it('is small when it comes late, too', async () => {
    let answer: () => void = () => undefined;
    fixture.answer = () =>
      new Promise((resolve) => {
        answer = () => resolve({ code: CoapCode.Content, payload: LARGE });
      });
    const device = fixture.device();
    const response = device.request(CoapCode.GET, {});
    await fixture.clock.advance(2000);
    answer();
    await fixture.clock.settle();
    assert.equal((await response).code, CoapCode.Unauthorized);
  });

  it('is as it is when it is small', async () => {
    fixture.answer = () => ({ code: CoapCode.Content, payload: Buffer.alloc(72, 'y') });
    assert.equal((await fixture.device().request(CoapCode.GET, {})).payload.length, 72);
  });
});
