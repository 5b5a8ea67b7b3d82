import assert from 'node:assert/strict';
import { DEVICE_TLV, DEVICE_VALUE } from './device-instance';
import {
  asked,
  attributes,
  bytes,
  create,
  discover,
  execute,
  FORMAT,
  OmaCase,
  read,
  remove,
  replace,
  update,
} from './support';

describe('OMA cases of core and additional objects', () => {
  let oma: OmaCase;

  beforeEach(async () => {
    oma = await OmaCase.start({ links: '</1/0>,</3/0>,</4/0>,</6/0>,</7/0>,</10/0>;ver=1.1,</11/0>,</19/0>,</20/0>' });
  });

  afterEach(async () => {
    await oma.close();
  });

  /** Periods are written to the instance, it is observed, and what comes is delivered. */
  async function observes(path: string, first: Buffer, next: Buffer, values: readonly [unknown, unknown]) {
    await oma.order(attributes(path, { pmin: 2, pmax: 10 }), asked(`PUT ${path}?pmin=2&pmax=10`).answers('2.04'));
    const { heard } = oma.observe({}, path);
    const step = asked(`GET ${path} observe=0`).answers('2.05', FORMAT.tlv, first, { observe: 1 });
    const { token } = await oma.answer(step);
    await oma.harness.clock.advance(10_000);
    assert.equal(await oma.notify(token, 2, FORMAT.tlv, next), 'ACK');
    assert.deepEqual(heard.payloads(), values);
    return { token, heard };
  }

  describe('Device', () => {
    it('OMA 651 Write of time, offset and time zone of Device as TLV, and restore', async () => {
      const before = { 13: new Date('2013-05-02T10:40:00Z'), 14: '+01:00', 15: 'Europe/London' };
      const time = { 13: new Date('2013-05-02T10:40:15Z'), 14: '+02:00', 15: 'Europe/Paris' };
      const body = bytes('C4 0D 51 82 42 8F  C6 0E "+02:00"  C8 0F 0C "Europe/Paris"');
      await oma.order(update('/3/0', time, 'tlv'), asked('POST /3/0 format=11542', body).answers('2.04'));
      const { payload } = await oma.order(read('/3/0'), asked('GET /3/0').answers('2.05', FORMAT.tlv, DEVICE_TLV));
      assert.deepEqual(payload, DEVICE_VALUE);
      const restored = bytes('C4 0D 51 82 42 80  C6 0E "+01:00"  C8 0F 0D "Europe/London"');
      await oma.order(replace('/3/0', before, 'tlv'), asked('PUT /3/0 format=11542', restored).answers('2.04'));
    });

    it('OMA 652 Read of the firmware version in the format that the client prefers', async () => {
      const { payload } = await oma.order(read('/3/0/3'), asked('GET /3/0/3').answers('2.05', FORMAT.text, '1.0'));
      assert.equal(payload, '1.0');
    });

    it('OMA 680 Create on Device fails with 4.05', async () => {
      await oma.refused(create('/3/1', {}), asked('POST /3 format=11542', bytes('00 01')).answers('4.05'));
    });

    it('OMA 685 Delete of the Device instance fails with 4.05', async () => {
      await oma.refused(remove('/3/0'), asked('DELETE /3/0').answers('4.05'));
      assert.ok(oma.view().objects.some(({ id, instances }) => id === 3 && instances.includes(0)));
    });
  });

  describe('Connectivity Monitoring', () => {
    const monitoring = (signal: string) =>
      bytes(`
      C1 00 15
      86 01 41 00 15 41 01 29
      C1 02 ${signal}
      C1 03 62
      88 04 0C 48 00 09 "192.0.2.4"
      88 05 0C 48 00 09 "192.0.2.1"`);
    const value = (signal: number) => ({
      0: 21,
      1: { 0: 21, 1: 41 },
      2: signal,
      3: 98,
      4: { 0: '192.0.2.4' },
      5: { 0: '192.0.2.1' },
    });

    it('OMA 701 Read of Connectivity Monitoring', async () => {
      const step = asked('GET /4/0').answers('2.05', FORMAT.tlv, monitoring('A6'));
      assert.deepEqual((await oma.order(read('/4/0'), step)).payload, value(-90));
    });

    it('OMA 710 Observation of Connectivity Monitoring', async () => {
      await observes('/4/0', monitoring('A6'), monitoring('A5'), [value(-90), value(-91)]);
    });
  });

  describe('Location', () => {
    const location = (altitude: string) =>
      bytes(`
      C8 00 08 40 48 00 00 00 00 00 00
      C4 01 C1 24 00 00
      C4 02 ${altitude}
      C4 05 51 82 42 8F`);
    const value = (altitude: number) => ({ 0: 48, 1: -10.25, 2: altitude, 5: new Date('2013-05-02T10:40:15Z') });

    it('OMA 801 Read of Location', async () => {
      const step = asked('GET /6/0').answers('2.05', FORMAT.tlv, location('42 C8 00 00'));
      assert.deepEqual((await oma.order(read('/6/0'), step)).payload, value(100));
    });

    it('OMA 810 Observation of Location', async () => {
      await observes('/6/0', location('42 C8 00 00'), location('42 CA 00 00'), [value(100), value(101)]);
    });
  });

  describe('Connectivity Statistics', () => {
    const statistics = (transmitted: string) =>
      bytes(`
      C1 00 00  C1 01 00  C2 02 ${transmitted}  C1 03 7B  C2 04 04 00  C2 05 01 00  C1 08 00`);
    const value = (transmitted: number) => ({ 0: 0, 1: 0, 2: transmitted, 3: 123, 4: 1024, 5: 256, 8: 0 });

    it('OMA 901 Statistics are started, stopped and read', async () => {
      await oma.order(execute('/7/0/6'), asked('POST /7/0/6').answers('2.04'));
      await oma.harness.clock.advance(5000);
      await oma.order(execute('/7/0/7'), asked('POST /7/0/7').answers('2.04'));
      const step = asked('GET /7/0').answers('2.05', FORMAT.tlv, statistics('03 E8'));
      assert.deepEqual((await oma.order(read('/7/0'), step)).payload, value(1000));
    });

    it('OMA 905 Write of the collection period', async () => {
      const before = asked('GET /7/0').answers('2.05', FORMAT.tlv, statistics('03 E8'));
      assert.deepEqual((await oma.order(read('/7/0'), before)).payload, value(1000));
      await oma.order(replace('/7/0/8', 3600), asked('PUT /7/0/8 format=0', '3600').answers('2.04'));
      const after = asked('GET /7/0').answers('2.05', FORMAT.tlv, bytes('C2 08 0E 10'));
      assert.deepEqual((await oma.order(read('/7/0'), after)).payload, { 8: 3600 });
    });

    it('OMA 910 Observation of the statistics while they are collected', async () => {
      await oma.order(replace('/7/0/8', 0), asked('PUT /7/0/8 format=0', '0').answers('2.04'));
      const { token, heard } = await observes('/7/0', statistics('00 00'), statistics('00 64'), [value(0), value(100)]);
      await oma.order(execute('/7/0/6'), asked('POST /7/0/6').answers('2.04'));
      assert.equal(await oma.notify(token, 3, FORMAT.tlv, statistics('00 C8')), 'ACK');
      await oma.order(execute('/7/0/7'), asked('POST /7/0/7').answers('2.04'));
      assert.deepEqual(heard.payloads().at(-1), value(200));
    });
  });

  describe('Cellular Connectivity', () => {
    /** Activated profile names /11/0 and /11/1, supported and active power saving modes. */
    const cellular = bytes('88 0B 0C  44 00 00 0B 00 00  44 01 00 0B 00 01');

    it('OMA 1200 Read of Cellular Connectivity', async () => {
      const step = asked('GET /10/0').answers('2.05', FORMAT.tlv, cellular);
      assert.deepEqual((await oma.order(read('/10/0'), step)).payload, { 11: { 0: '11:0', 1: '11:1' } });
    });

    it('OMA 1201 Discover and Read of Cellular Connectivity in version 1.1', async () => {
      const links = '</10>;ver="1.1",</10/0>,</10/0/6>,</10/0/11>,</10/0/13>,</10/0/14>';
      const discovery = asked('GET /10 accept=40').answers('2.05', FORMAT.link, links);
      const found = (await oma.order(discover('/10'), discovery)).payload as { attributes: object }[];
      assert.deepEqual(found[0], { path: '/10', attributes: { ver: '1.1' } });
      const body = Buffer.concat([cellular, bytes('C1 0C 0F C1 0D 05')]);
      const step = asked('GET /10/0').answers('2.05', FORMAT.tlv, body);
      const { payload } = await oma.order(read('/10/0'), step);
      assert.deepEqual(payload, { 11: { 0: '11:0', 1: '11:1' }, 12: 15, 13: 5 });
    });

    it('OMA 1250 Create of a second APN profile; the server keeps the object list of the update', async () => {
      const profile = { 0: 'second', 1: 'iot.example', 3: false, 4: 0 };
      const body = bytes(`
        08 01 1C
          C6 00 "second"
          C8 01 0B "iot.example"
          C1 03 00
          C1 04 00`);
      await oma.order(create('/11/1', profile, 'tlv'), asked('POST /11 format=11542', body).answers('2.01'));
      await oma.order(execute('/1/0/8'), asked('POST /1/0/8').answers('2.04'));
      assert.equal(await oma.update([], '</1/0>,</3/0>,</10/0>;ver=1.1,</11/0>,</11/1>'), '2.04');
      assert.deepEqual(oma.view().objects.at(-1), { id: 11, version: '1.0', instances: [0, 1] });
      await oma.order(replace('/11/1/3', true), asked('PUT /11/1/3 format=0', '1').answers('2.04'));
      const step = asked('GET /10/0/11').answers('2.05', FORMAT.tlv, cellular);
      assert.deepEqual((await oma.order(read('/10/0/11'), step)).payload, { 0: '11:0', 1: '11:1' });
    });
  });

  describe('Binary App Data', () => {
    it('OMA 1900 Observation of binary application data', async () => {
      const data = (text: string) => bytes(`85 00 43 00 ${text}`);
      const { heard } = oma.observe({}, '/19/0/0');
      const step = asked('GET /19/0/0 observe=0').answers('2.05', FORMAT.tlv, data('01 02 03'), { observe: 1 });
      const { token } = await oma.answer(step);
      assert.equal(await oma.notify(token, 2, FORMAT.tlv, data('FF 00 FE')), 'ACK');
      assert.deepEqual(heard.payloads(), [{ 0: bytes('01 02 03') }, { 0: bytes('FF 00 FE') }]);
    });

    it('OMA 1901 Write of binary application data', async () => {
      const step = asked('PUT /19/0/0/0 format=42', bytes('01 02 03 FF')).answers('2.04');
      await oma.order(replace('/19/0/0/0', bytes('01 02 03 FF')), step);
    });
  });

  describe('Event Log', () => {
    it('OMA 2000 Event log is started', async () => {
      await oma.order(execute('/20/0/4011'), asked('POST /20/0/4011').answers('2.04'));
      const step = asked('GET /20/0/4013').answers('2.05', FORMAT.text, '2');
      assert.equal((await oma.order(read('/20/0/4013'), step)).payload, 2);
    });

    it('OMA 2001 Event log is read', async () => {
      const step = asked('GET /20/0/4014').answers('2.05', FORMAT.opaque, bytes('00 "log" FF'));
      assert.deepEqual((await oma.order(read('/20/0/4014'), step)).payload, bytes('00 "log" FF'));
    });
  });
});
