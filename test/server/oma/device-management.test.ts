import assert from 'node:assert/strict';
import { InvalidArgumentError } from '../../../src';
import { DEVICE_OBJECT_TLV, DEVICE_TLV, DEVICE_VALUE } from './device-instance';
import {
  asked,
  attributes,
  bytes,
  create,
  discover,
  ENDPOINT,
  execute,
  FORMAT,
  OmaCase,
  read,
  remove,
  replace,
  update,
} from './support';

/** The Server instance of configuration C.3. */
const SERVER_TLV = bytes('C1 00 01 C4 01 00 01 51 80 C1 02 01 C1 03 0A C4 05 00 01 51 80 C1 06 00 C1 07 "U"');
const SERVER_VALUE = { 0: 1, 1: 86_400, 2: 1, 3: 10, 5: 86_400, 6: false, 7: 'U' };

describe('OMA cases of device management', () => {
  let oma: OmaCase;

  beforeEach(async () => {
    oma = await OmaCase.start({ links: '</1/0>,</3/0>,</16/0>' });
  });

  afterEach(async () => {
    await oma.close();
  });

  // OMA 221 wants to see the client answer 4.01; this server does not even ask (LwM2M Core 1.2 s6.1).
  it('operations on the Security object, which OMA 221 tries, are refused by the server itself', async () => {
    for (const operation of [read('/0/0'), replace('/0/0/0', 'coap://evil'), attributes('/0/0', { pmin: 10 })]) {
      await assert.rejects(oma.order(operation), InvalidArgumentError);
    }
    await oma.harness.clock.advance(10_000);
    assert.equal(oma.client.inbox.length, 0);
  });

  it('OMA 222 Read of an object', async () => {
    const server = Buffer.concat([bytes('08 00'), Buffer.of(SERVER_TLV.length), SERVER_TLV]);
    const { payload } = await oma.order(read('/1'), asked('GET /1').answers('2.05', FORMAT.tlv, server));
    assert.deepEqual(payload, { 0: SERVER_VALUE });
    const device = await oma.order(read('/3'), asked('GET /3').answers('2.05', FORMAT.tlv, DEVICE_OBJECT_TLV));
    assert.deepEqual(device.payload, { 0: DEVICE_VALUE });
  });

  it('OMA 223 Read of an object instance', async () => {
    const { payload } = await oma.order(read('/1/0'), asked('GET /1/0').answers('2.05', FORMAT.tlv, SERVER_TLV));
    assert.deepEqual(payload, SERVER_VALUE);
    const device = await oma.order(read('/3/0'), asked('GET /3/0').answers('2.05', FORMAT.tlv, DEVICE_TLV));
    assert.deepEqual(device.payload, DEVICE_VALUE);
  });

  it('OMA 224 Read of a resource', async () => {
    const single = await oma.order(read('/1/0/1'), asked('GET /1/0/1').answers('2.05', FORMAT.text, '86400'));
    assert.equal(single.payload, 86_400);
    const body = bytes('88 07 08 42 00 0E D8 42 01 13 88');
    const multiple = await oma.order(read('/3/0/7'), asked('GET /3/0/7').answers('2.05', FORMAT.tlv, body));
    assert.deepEqual(multiple.payload, { 0: 3800, 1: 5000 });
  });

  it('OMA 225 Read of a resource instance', async () => {
    const { payload } = await oma.order(read('/3/0/11/0'), asked('GET /3/0/11/0').answers('2.05', FORMAT.text, '0'));
    assert.equal(payload, 0);
  });

  it('OMA 226 Partial update of an instance in one message; the new lifetime comes by an update', async () => {
    const body = bytes('82 A3 21 65 "/1/0/" 00 61 "1" 02 18 3C  A2 00 61 "6" 04 F5');
    await oma.order(update('/1/0', { 1: 60, 6: true }), asked('POST /1/0 format=112', body).answers('2.04'));
    assert.equal(await oma.update(['lt=60']), '2.04');
    assert.equal(oma.view().lifetime, 60);
    assert.deepEqual(
      [oma.view().values['/1/0/1']?.commanded?.value, oma.view().values['/1/0/6']?.commanded?.value],
      [60, true],
    );
  });

  it('OMA 227 Replace of a resource is a PUT; the new lifetime comes by an update', async () => {
    await oma.order(replace('/1/0/1', 63), asked('PUT /1/0/1 format=0', '63').answers('2.04'));
    assert.equal(await oma.update(['lt=63']), '2.04');
    assert.equal(oma.view().lifetime, 63);
  });

  it('OMA 228 Write of a resource instance', async () => {
    await oma.order(
      replace('/16/0/0/0', 'Host Device ID #1'),
      asked('PUT /16/0/0/0 format=0', 'Host Device ID #1').answers('2.04'),
    );
    const step = asked('GET /16/0/0/0').answers('2.05', FORMAT.text, 'Host Device ID #1');
    assert.equal((await oma.order(read('/16/0/0/0'), step)).payload, 'Host Device ID #1');
  });

  it('OMA 241 Reboot by Execute; the new registration replaces the old one', async () => {
    const { location } = oma.client;
    await oma.order(execute('/3/0/4'), asked('POST /3/0/4').answers('2.04'));
    assert.equal(await oma.codeOf(oma.client.register({ endpoint: ENDPOINT })), '2.01');
    assert.notDeepEqual(oma.client.location, location);
    assert.equal(oma.harness.engine.devices({ all: true }).length, 1);
    const step = asked('GET /3/0/9').answers('2.05', FORMAT.text, '100');
    assert.equal((await oma.order(read('/3/0/9'), step)).payload, 100);
  });

  it('OMA 256 Write of a read-only resource fails with 4.05, and the value is as before', async () => {
    await oma.refused(replace('/1/0/0', 123), asked('PUT /1/0/0 format=0', '123').answers('4.05'));
    assert.equal(oma.view().values['/1/0/0']?.commanded, undefined, 'what was refused was not commanded');
    const { payload } = await oma.order(read('/1/0/0'), asked('GET /1/0/0').answers('2.05', FORMAT.text, '1'));
    assert.equal(payload, 1);
  });

  it('OMA 260 Discover shows sizes of multiple resources and attributes, written and inherited', async () => {
    const links =
      '</3>,</3/0>,</3/0/1>,</3/0/2>,</3/0/3>,</3/0/4>,</3/0/6>;dim=2,</3/0/7>;dim=2,</3/0/8>;dim=2,</3/0/9>,' +
      '</3/0/11>;dim=1,</3/0/16>';
    const before = await oma.order(discover('/3'), asked('GET /3 accept=40').answers('2.05', FORMAT.link, links));
    assert.deepEqual(before.payload, [
      { path: '/3', attributes: {} },
      { path: '/3/0', attributes: {} },
      { path: '/3/0/1', attributes: {} },
      { path: '/3/0/2', attributes: {} },
      { path: '/3/0/3', attributes: {} },
      { path: '/3/0/4', attributes: {} },
      { path: '/3/0/6', attributes: { dim: 2 } },
      { path: '/3/0/7', attributes: { dim: 2 } },
      { path: '/3/0/8', attributes: { dim: 2 } },
      { path: '/3/0/9', attributes: {} },
      { path: '/3/0/11', attributes: { dim: 1 } },
      { path: '/3/0/16', attributes: {} },
    ]);
    await oma.order(attributes('/3/0', { pmin: 10, pmax: 200 }), asked('PUT /3/0?pmin=10&pmax=200').answers('2.04'));
    await oma.order(attributes('/3/0/7', { lt: 1, gt: 6, st: 1 }), asked('PUT /3/0/7?gt=6&lt=1&st=1').answers('2.04'));
    const after = await oma.order(
      discover('/3/0/7'),
      asked('GET /3/0/7 accept=40').answers('2.05', FORMAT.link, '</3/0/7>;pmin=10;pmax=200;dim=2;lt=1;gt=6;st=1'),
    );
    assert.deepEqual(after.payload, [
      { path: '/3/0/7', attributes: { pmin: 10, pmax: 200, dim: 2, lt: 1, gt: 6, st: 1 } },
    ]);
  });

  it('OMA 261 Write-Attributes at object, instance and resource instance, seen by Discover', async () => {
    await oma.order(attributes('/3', { pmin: 10, pmax: 200 }), asked('PUT /3?pmin=10&pmax=200').answers('2.04'));
    await oma.order(attributes('/3/0', { pmax: 320 }), asked('PUT /3/0?pmax=320').answers('2.04'));
    await oma.order(
      attributes('/3/0/11/0', { pmax: 100, epmin: 1, epmax: 20 }),
      asked('PUT /3/0/11/0?pmax=100&epmin=1&epmax=20').answers('2.04'),
    );
    const links = '</3/0/11>;dim=1;pmin=10;pmax=320,</3/0/11/0>;pmax=100;epmin=1;epmax=20';
    const step = asked('GET /3/0/11 accept=40').answers('2.05', FORMAT.link, links);
    const { payload } = await oma.order(discover('/3/0/11'), step);
    assert.deepEqual(payload, [
      { path: '/3/0/11', attributes: { dim: 1, pmin: 10, pmax: 320 } },
      { path: '/3/0/11/0', attributes: { pmax: 100, epmin: 1, epmax: 20 } },
    ]);
  });

  it('OMA 264 Discover of one level of depth', async () => {
    const step = asked('GET /3?depth=1 accept=40').answers('2.05', FORMAT.link, '</3>,</3/0>');
    const { payload } = await oma.order(discover('/3', 1), step);
    assert.deepEqual(payload, [
      { path: '/3', attributes: {} },
      { path: '/3/0', attributes: {} },
    ]);
  });

  it('OMA 266 Discover of two and of three levels of depth', async () => {
    const two = '</3>,</3/0>,</3/0/0>,</3/0/6>;dim=2';
    const second = asked('GET /3?depth=2 accept=40').answers('2.05', FORMAT.link, two);
    const paths = async (...order: Parameters<OmaCase['order']>) =>
      ((await oma.order(...order)).payload as { path: string }[]).map(({ path }) => path);
    assert.deepEqual(await paths(discover('/3', 2), second), ['/3', '/3/0', '/3/0/0', '/3/0/6']);
    const three = `${two},</3/0/6/0>,</3/0/6/1>`;
    const third = asked('GET /3?depth=3 accept=40').answers('2.05', FORMAT.link, three);
    assert.deepEqual(await paths(discover('/3', 3), third), ['/3', '/3/0', '/3/0/0', '/3/0/6', '/3/0/6/0', '/3/0/6/1']);
  });

  /** `/16/1` with two identities, in its object instance. */
  const PORTFOLIO = bytes(`
    08 01 2E
      88 00 2B
        48 00 11 "Host Device ID #2"
        48 01 14 "Host Device Model #2"`);
  const IDENTITY = { 0: { 0: 'Host Device ID #2', 1: 'Host Device Model #2' } };

  for (const id of ['OMA 270', 'OMA 1630']) {
    it(`${id} Create of a Portfolio instance, which the next update names`, async () => {
      const step = asked('POST /16 format=11542', PORTFOLIO).answers('2.01');
      const { payload, code } = await oma.order(create('/16/1', IDENTITY, 'tlv'), step);
      assert.deepEqual([payload, code], ['/16/1', '2.01']);
      assert.equal(await oma.update([], '</1/0>,</3/0>,</16/0>,</16/1>'), '2.04');
      assert.deepEqual(oma.view().objects.at(-1), { id: 16, version: '1.0', instances: [0, 1] });
      const discovery = asked('GET /16 accept=40').answers('2.05', FORMAT.link, '</16>,</16/0/0>,</16/1/0>');
      const found = (await oma.order(discover('/16'), discovery)).payload as { path: string }[];
      assert.deepEqual(
        found.map(({ path }) => path),
        ['/16', '/16/0/0', '/16/1/0'],
      );
      const read16 = asked('GET /16').answers('2.05', FORMAT.tlv, PORTFOLIO);
      assert.deepEqual((await oma.order(read('/16'), read16)).payload, { 1: IDENTITY });
    });
  }

  it('OMA 1630 Create of an instance whose id the client chooses', async () => {
    const step = asked('POST /16 format=11542', PORTFOLIO.subarray(3)).answers('2.01', undefined, undefined, {
      locationPath: ['16', '1'],
    });
    assert.equal((await oma.order(create('/16', IDENTITY), step)).payload, '/16/1');
  });

  for (const id of ['OMA 290', 'OMA 1635']) {
    it(`${id} Delete of the instances of Portfolio, which the next update leaves out`, async () => {
      const { code } = await oma.order(remove('/16/0'), asked('DELETE /16/0').answers('2.02'));
      assert.equal(code, '2.02');
      assert.equal(await oma.update([], '</1/0>,</3/0>,</16>'), '2.04');
      assert.deepEqual(oma.view().objects.at(-1), { id: 16, version: '1.0', instances: [] });
      const step = asked('GET /16 accept=40').answers('2.05', FORMAT.link, '</16>');
      assert.deepEqual((await oma.order(discover('/16'), step)).payload, [{ path: '/16', attributes: {} }]);
    });
  }
});
