import assert from 'node:assert/strict';
import { codeName, CoapCode, formatCode, isRequestCode, isResponseCode, isSuccess, parseCode } from '../../src/coap';
import { CodecError } from '../../src/errors';

describe('CoAP codes', () => {
  it('have the dotted form of the specification', () => {
    assert.equal(formatCode(0x84), '4.04');
    assert.equal(formatCode(CoapCode.Continue), '2.31');
    assert.equal(formatCode(CoapCode.ProxyingNotSupported), '5.05');
    for (let code = 0; code < 256; code += 1) assert.equal(parseCode(formatCode(code)), code);
  });

  it('are refused in any other form', () => {
    for (const text of ['404', '4.4', '4.32', '8.00', '', '4.04 ']) assert.throws(() => parseCode(text), CodecError);
  });

  it('are known by class', () => {
    assert.ok(isRequestCode(CoapCode.IPATCH) && !isRequestCode(CoapCode.Empty) && !isRequestCode(CoapCode.Created));
    assert.ok(isResponseCode(CoapCode.Created) && isResponseCode(CoapCode.NotFound) && !isResponseCode(0x60));
    assert.ok(isSuccess(CoapCode.Continue) && !isSuccess(CoapCode.BadRequest));
    assert.deepEqual([codeName(CoapCode.IPATCH), codeName(CoapCode.NotFound)], ['iPATCH', '4.04']);
  });
});
