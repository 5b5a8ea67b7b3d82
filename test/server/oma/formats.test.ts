import assert from 'node:assert/strict';
import type { ContentFormatName } from '../../../src';
import {
  DEVICE_JSON,
  DEVICE_LWM2M_CBOR,
  DEVICE_OBJECT_TLV,
  DEVICE_SENML_CBOR,
  DEVICE_SENML_JSON,
  DEVICE_TLV,
  DEVICE_VALUE,
} from './device-instance';
import { asked, bytes, FORMAT, OmaCase, read, replace, update } from './support';

describe('OMA cases of content formats', () => {
  let oma: OmaCase;

  beforeEach(async () => {
    oma = await OmaCase.start({ links: '</1/0>,</3/0>,</16/0>' });
  });

  afterEach(async () => {
    await oma.close();
  });

  /** A read that must be answered in the format wished for. */
  async function reads(path: string, name: ContentFormatName, answer: Buffer | string, value: unknown): Promise<void> {
    const format = FORMAT_OF[name];
    const step = asked(`GET ${path} accept=${format}`).answers('2.05', format, answer);
    const { payload, contentFormat, warnings } = await oma.order(read(path, name), step);
    assert.deepEqual([payload, contentFormat, warnings], [value, name, undefined]);
  }

  describe('reads', () => {
    it('OMA 201 Read three resources of Device as plain text', async () => {
      await reads('/3/0/0', 'text', 'Open Mobile Alliance', 'Open Mobile Alliance');
      await reads('/3/0/1', 'text', 'Lightweight M2M Client', 'Lightweight M2M Client');
      await reads('/3/0/2', 'text', '345000123', '345000123');
    });

    it('OMA 203 Read the Device instance as TLV', async () => {
      await reads('/3/0', 'tlv', DEVICE_TLV, DEVICE_VALUE);
    });

    it('OMA 204 Read the Device instance as OMA JSON', async () => {
      await reads('/3/0', 'json', DEVICE_JSON, DEVICE_VALUE);
    });

    it('OMA 211 Read resources of Server as CBOR', async () => {
      await reads('/1/0/0', 'cbor', bytes('01'), 1);
      await reads('/1/0/1', 'cbor', bytes('1A 00 01 51 80'), 86_400);
      await reads('/1/0/6', 'cbor', bytes('F4'), false);
      await reads('/1/0/7', 'cbor', bytes('61 "U"'), 'U');
    });

    it('OMA 231 Read at four levels as SenML JSON', async () => {
      const server = { 0: 1, 1: 86_400, 2: 1, 3: 10, 5: 86_400, 6: false, 7: 'U' };
      const records =
        '[{"bn":"/1/0/","n":"0","v":1},{"n":"1","v":86400},{"n":"2","v":1},{"n":"3","v":10},{"n":"5","v":86400},' +
        '{"n":"6","vb":false},{"n":"7","vs":"U"}]';
      await reads('/1', 'senml-json', records, { 0: server });
      await reads('/3/0', 'senml-json', DEVICE_SENML_JSON, DEVICE_VALUE);
      await reads('/3/0/16', 'senml-json', '[{"bn":"/3/0/16","vs":"U"}]', 'U');
      await reads('/3/0/11/0', 'senml-json', '[{"bn":"/3/0/","n":"11/0","v":0}]', 0);
    });

    it('OMA 232 Read at four levels as SenML CBOR', async () => {
      const records = bytes(`82
        A3 21 64 "/1/0" 00 62 "/1" 02 1A 00 01 51 80
        A2 00 62 "/6" 04 F4`);
      await reads('/1', 'senml-cbor', records, { 0: { 1: 86_400, 6: false } });
      await reads('/3/0', 'senml-cbor', DEVICE_SENML_CBOR, DEVICE_VALUE);
      await reads('/3/0/16', 'senml-cbor', bytes('81 A2 21 67 "/3/0/16" 03 61 "U"'), 'U');
      await reads('/3/0/11/0', 'senml-cbor', bytes('81 A2 00 69 "/3/0/11/0" 02 00'), 0);
    });

    for (const [name, format, answer] of [
      ['TLV', FORMAT.tlv, DEVICE_TLV],
      ['TLV inside its object instance', FORMAT.tlv, DEVICE_OBJECT_TLV],
      ['OMA JSON', FORMAT.json, DEVICE_JSON],
      ['SenML JSON', FORMAT.senmlJson, DEVICE_SENML_JSON],
      ['SenML CBOR', FORMAT.senmlCbor, DEVICE_SENML_CBOR],
      ['LwM2M CBOR', FORMAT.lwm2mCbor, DEVICE_LWM2M_CBOR],
      ['TLV under the number of the drafts', 1542, DEVICE_TLV],
      ['OMA JSON under the number of the drafts', 1543, DEVICE_JSON],
    ] as const) {
      it(`OMA 237 Read without Accept takes what comes: ${name}`, async () => {
        const instance = await oma.order(read('/3/0'), asked('GET /3/0').answers('2.05', format, answer));
        assert.deepEqual(instance.payload, DEVICE_VALUE);
        const object = await oma.order(read('/3'), asked('GET /3').answers('2.05', format, answer));
        assert.deepEqual(object.payload, { 0: DEVICE_VALUE });
      });
    }

    for (const [name, path, format, answer, value] of [
      ['plain text', '/3/0/9', FORMAT.text, '100', 100],
      ['CBOR', '/3/0/9', FORMAT.cbor, bytes('18 64'), 100],
      ['opaque', '/6/0/4', FORMAT.opaque, bytes('00 01 FF'), bytes('00 01 FF')],
      ['SenML JSON', '/3/0/9', FORMAT.senmlJson, '[{"n":"/3/0/9","v":100}]', 100],
      ['LwM2M CBOR', '/3/0/9', FORMAT.lwm2mCbor, bytes('A1 83 03 00 09 18 64'), 100],
    ] as const) {
      it(`OMA 237 Read of a resource without Accept takes what comes: ${name}`, async () => {
        const { payload } = await oma.order(read(path), asked(`GET ${path}`).answers('2.05', format, answer));
        assert.deepEqual(payload, value);
      });
    }
  });

  describe('writes', () => {
    it('OMA 205 Write three resources of Server as plain text, read them and restore', async () => {
      for (const [resource, value, before] of [
        [2, 101, 1],
        [3, 1010, 10],
        [5, 2000, 86_400],
      ] as const) {
        const path = `/1/0/${resource}`;
        await oma.order(replace(path, value, 'text'), asked(`PUT ${path} format=0`, `${value}`).answers('2.04'));
        await reads(path, 'text', String(value), value);
        await oma.order(replace(path, before, 'text'), asked(`PUT ${path} format=0`, `${before}`).answers('2.04'));
      }
      assert.equal(oma.view().values['/1/0/3']?.commanded?.value, 10);
    });

    it('OMA 212 Write resources of Server as CBOR', async () => {
      const writes = async (path: string, value: unknown, body: string) =>
        oma.order(replace(path, value, 'cbor'), asked(`PUT ${path} format=60`, bytes(body)).answers('2.04'));
      await writes('/1/0/2', 101, '18 65');
      await writes('/1/0/3', 1010, '19 03 F2');
      await writes('/1/0/6', true, 'F5');
      await writes('/1/0/7', 'U', '61 "U"');
      await reads('/1/0/3', 'cbor', bytes('19 03 F2'), 1010);
    });

    /** The set of values of 215 and 220, and what was there before. */
    const VALUES = { 2: 101, 3: 1010, 5: 2000, 6: true, 7: 'U' };
    const BEFORE = { 1: 86_400, 2: 1, 3: 10, 5: 86_400, 6: false, 7: 'U' };

    it('OMA 215 Partial update, then replace, of the Server instance as TLV', async () => {
      const updated = bytes('C1 02 65  C2 03 03 F2  C2 05 07 D0  C1 06 01  C1 07 "U"');
      await oma.order(update('/1/0', VALUES, 'tlv'), asked('POST /1/0 format=11542', updated).answers('2.04'));
      await reads('/1/0', 'tlv', Buffer.concat([bytes('C1 00 01 C4 01 00 01 51 80'), updated]), {
        0: 1,
        1: 86_400,
        ...VALUES,
      });
      const replaced = bytes('C4 01 00 01 51 80  C1 02 01  C1 03 0A  C4 05 00 01 51 80  C1 06 00  C1 07 "U"');
      await oma.order(replace('/1/0', BEFORE, 'tlv'), asked('PUT /1/0 format=11542', replaced).answers('2.04'));
      await reads('/1/0', 'tlv', Buffer.concat([bytes('C1 00 01'), replaced]), { 0: 1, ...BEFORE });
    });

    it('OMA 220 Partial update, then replace, of the Server instance as OMA JSON', async () => {
      const updated =
        '{"bn":"/1/0/","e":[{"n":"2","v":101},{"n":"3","v":1010},{"n":"5","v":2000},{"n":"6","bv":true},' +
        '{"n":"7","sv":"U"}]}';
      await oma.order(update('/1/0', VALUES, 'json'), asked('POST /1/0 format=11543', updated).answers('2.04'));
      await reads('/1/0', 'json', updated, VALUES);
      const replaced =
        '{"bn":"/1/0/","e":[{"n":"1","v":86400},{"n":"2","v":1},{"n":"3","v":10},{"n":"5","v":86400},' +
        '{"n":"6","bv":false},{"n":"7","sv":"U"}]}';
      await oma.order(replace('/1/0', BEFORE, 'json'), asked('PUT /1/0 format=11543', replaced).answers('2.04'));
      await reads('/1/0', 'json', replaced, BEFORE);
    });

    it('OMA 233 Write an instance, a resource instance and a resource as SenML CBOR; the lifetime is updated', async () => {
      const instance = bytes('82 A3 21 65 "/1/0/" 00 61 "1" 02 18 3D  A2 00 61 "6" 04 F5');
      await oma.order(
        update('/1/0', { 1: 61, 6: true }, 'senml-cbor'),
        asked('POST /1/0 format=112', instance).answers('2.04'),
      );
      assert.equal(await oma.update(['lt=61']), '2.04');
      await oma.order(
        replace('/16/0/0/0', 'test_value', 'senml-cbor'),
        asked('PUT /16/0/0/0 format=112', bytes('81 A2 21 69 "/16/0/0/0" 03 6A "test_value"')).answers('2.04'),
      );
      await oma.order(
        replace('/1/0/1', 63, 'senml-cbor'),
        asked('PUT /1/0/1 format=112', bytes('81 A2 21 66 "/1/0/1" 02 18 3F')).answers('2.04'),
      );
      assert.equal(await oma.update(['lt=63']), '2.04');
      assert.equal(oma.view().lifetime, 63);
    });

    it('OMA 234 Write an instance, a resource instance and a resource as SenML JSON; the lifetime is updated', async () => {
      await oma.order(
        update('/1/0', { 1: 61, 6: true }, 'senml-json'),
        asked('POST /1/0 format=110', '[{"bn":"/1/0/","n":"1","v":61},{"n":"6","vb":true}]').answers('2.04'),
      );
      assert.equal(await oma.update(['lt=61']), '2.04');
      await oma.order(
        replace('/16/0/0/0', 'test_value', 'senml-json'),
        asked('PUT /16/0/0/0 format=110', '[{"bn":"/16/0/0/0","vs":"test_value"}]').answers('2.04'),
      );
      await oma.order(
        replace('/1/0/1', 63, 'senml-json'),
        asked('PUT /1/0/1 format=110', '[{"bn":"/1/0/1","v":63}]').answers('2.04'),
      );
      assert.equal(await oma.update(['lt=63']), '2.04');
      assert.equal(oma.view().lifetime, 63);
    });
  });
});

const FORMAT_OF: Partial<Record<ContentFormatName, number>> = {
  text: FORMAT.text,
  cbor: FORMAT.cbor,
  'senml-json': FORMAT.senmlJson,
  'senml-cbor': FORMAT.senmlCbor,
  tlv: FORMAT.tlv,
  json: FORMAT.json,
};
