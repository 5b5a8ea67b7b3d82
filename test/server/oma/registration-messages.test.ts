import assert from 'node:assert/strict';
import { NotRegisteredError } from '../../../src';
import { CoapCode } from '../../../src/coap';
import { asked, bytes, ENDPOINT, execute, FORMAT, OmaCase, read, replace } from './support';

describe('OMA cases of registration, message by message', () => {
  let oma: OmaCase;

  afterEach(async () => {
    await oma.close();
  });

  const elapse = (seconds: number) => oma.harness.clock.advance(seconds * 1000);
  const topics = () => oma.harness.topics();

  it('OMA 101 Register is answered 2.01 with a location, byte by byte', async () => {
    oma = await OmaCase.start({ endpoint: 'another' });
    const client = oma.harness.network.peer('192.0.2.77:5683');
    client.send(
      oma.client.server,
      // CON POST, message id 1234, token AB: Uri-Path rd, Content-Format 40, Uri-Query ep, lt, lwm2m, b
      bytes(`41 02 12 34 AB  B2 "rd"  11 28
        3D 00 "ep=oma-client"  08 "lt=86400"  09 "lwm2m=1.1"  03 "b=U"
        FF "</>;ct=112,</0/0>,</1/0>,</3/0>,</21/0>,</3303/0>;ver=1.1"`),
    );
    const answer = await client.receive();
    assert.deepEqual(answer.subarray(0, 5), bytes('61 41 12 34 AB'), 'a piggybacked 2.01 with the token');
    // Location-Path twice: "rd", and 22 characters that nobody can guess.
    assert.deepEqual(answer.subarray(5, 10), bytes('82 "rd" 0D 09'));
    assert.match(answer.subarray(10).toString('latin1'), /^[A-Za-z0-9_-]{22}$/);
    await oma.harness.clock.settle();
    const { payload } = oma.harness.eventsOf('registered').at(-1) ?? assert.fail('nothing registered');
    assert.deepEqual(
      [payload.endpoint, payload.lifetime, payload.version, payload.binding, payload.queueMode],
      [ENDPOINT, 86_400, '1.1', 'U', false],
    );
    assert.deepEqual(
      payload.objects,
      [
        { id: 1, version: '1.0', instances: [0] },
        { id: 3, version: '1.0', instances: [0] },
        { id: 3303, version: '1.1', instances: [0] },
      ],
      'objects 0 and 21 are never shown',
    );
    assert.equal(oma.view().connectivity, 'online');
  });

  it('OMA 102 Write of a lifetime of 20 s, the update that follows, and expiry without another', async () => {
    oma = await OmaCase.start();
    await oma.order(replace('/1/0/1', 20), asked('PUT /1/0/1 format=0', '20').answers('2.04'));
    assert.equal(await oma.update(['lt=20']), '2.04');
    assert.equal(oma.view().lifetime, 20);
    await elapse(19);
    assert.equal(await oma.update(), '2.04');
    await elapse(19);
    assert.equal(oma.view().connectivity, 'online');
    await elapse(6);
    assert.deepEqual(topics(), ['registered', 'updated', 'updated', 'expired']);
    await assert.rejects(oma.order(read('/3/0/0')), NotRegisteredError);
  });

  it('OMA 103 Disable by Execute, and de-registration answered 2.02', async () => {
    oma = await OmaCase.start();
    await oma.order(execute('/1/0/4'), asked('POST /1/0/4').answers('2.04'));
    assert.equal(await oma.codeOf(oma.client.deregister()), '2.02');
    assert.deepEqual(topics(), ['registered', 'deregistered']);
    await assert.rejects(oma.order(read('/3/0/0')), NotRegisteredError);
  });

  it('OMA 104 Update Trigger by Execute, and an update without parameters that refreshes the lifetime', async () => {
    oma = await OmaCase.start({ lifetime: 20 });
    await elapse(15);
    await oma.order(execute('/1/0/8'), asked('POST /1/0/8').answers('2.04'));
    assert.equal(await oma.update(), '2.04');
    await elapse(15);
    assert.deepEqual([oma.view().connectivity, oma.view().lifetime], ['online', 20]);
  });

  it('OMA 107 Write of a longer lifetime, and the update with it accepted', async () => {
    oma = await OmaCase.start({ lifetime: 20 });
    await oma.order(replace('/1/0/1', 120), asked('PUT /1/0/1 format=0', '120').answers('2.04'));
    assert.equal(await oma.update(['lt=120']), '2.04');
    await elapse(110);
    assert.deepEqual(topics(), ['registered', 'updated']);
    await elapse(15);
    assert.deepEqual(topics(), ['registered', 'updated', 'expired']);
  });

  it('OMA 108 Queue mode of a 1.0 client is the Q of its binding mode', async () => {
    oma = await OmaCase.start({ version: '1.0', query: ['b=UQ'] });
    const { payload } = oma.harness.eventsOf('registered')[0] ?? assert.fail('nothing registered');
    assert.deepEqual([payload.binding, payload.queueMode], ['U', true]);
  });

  it('OMA 109 A read ordered while the client sleeps waits for its update, which is answered first', async () => {
    oma = await OmaCase.start({ query: ['b=U', 'Q'] });
    await elapse(95);
    assert.equal(oma.view().connectivity, 'asleep');
    const ordered = oma.harness.engine.perform(ENDPOINT, read('/3/0/0'));
    await elapse(600);
    assert.equal(oma.client.inbox.length, 0, 'nothing is sent to a client that sleeps');
    const heard = oma.client.peer.received.length;
    assert.equal(await oma.update(), '2.04');
    await oma.answer(asked('GET /3/0/0').answers('2.05', FORMAT.text, 'Open Mobile Alliance'), ordered);
    const codes = oma.client.peer.received.slice(heard).map((datagram) => datagram[1]);
    assert.deepEqual(codes, [CoapCode.Changed, CoapCode.GET]);
    const { payload, queuedFor } = await ordered;
    assert.deepEqual([payload, queuedFor], ['Open Mobile Alliance', 600_000]);
  });

  it('OMA 1350 A client that changes its bearer keeps registration and observations at the new address', async () => {
    oma = await OmaCase.start();
    const { harness, client } = oma;
    const { heard } = oma.observe({}, '/3/0/9');
    const first = asked('GET /3/0/9 observe=0').answers('2.05', FORMAT.text, '90', { observe: 1 });
    const { token } = await oma.answer(first);
    const moved = harness.device('198.51.100.4:61000');
    moved.location = client.location;
    const challenge = await moved.update();
    assert.equal(challenge.code, CoapCode.Unauthorized);
    const { echo } = challenge.options;
    assert.ok(echo, 'who is not known by a key proves that it receives at the new address (RFC 9175)');
    const proved = moved.request(CoapCode.POST, { uriPath: moved.location ?? [], echo });
    assert.equal(await oma.codeOf(proved), '2.04');
    assert.deepEqual(oma.view().address, { host: '198.51.100.4', port: 61_000, transport: 'coap' });
    assert.deepEqual(topics(), ['registered', 'updated']);
    moved.notify(token, 2, '80', { contentFormat: FORMAT.text });
    await harness.clock.settle();
    assert.deepEqual(heard.payloads(), [90, 80]);
    const ordered = harness.engine.perform(ENDPOINT, read('/3/0/9'));
    (await moved.expectRequest()).reply(CoapCode.Content, { contentFormat: FORMAT.text }, '79');
    assert.equal((await ordered).payload, 79);
    assert.equal(client.inbox.length, 0, 'nothing goes to the old address');
  });
});
