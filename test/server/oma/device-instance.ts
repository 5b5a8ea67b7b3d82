import { bytes } from './support';

/**
 * The Device instance of the specification's examples (LwM2M Core 1.0 s6.4.3.1 and s6.4.4, 1.1 s7.4.4 to s7.4.6, 1.2
 * s7.4.7), as the answer to a read of /3/0 in each format. Bytes are spelt out by hand, not made by our encoder.
 */
export const DEVICE_TLV = bytes(`
  C8 00 14 "Open Mobile Alliance"
  C8 01 16 "Lightweight M2M Client"
  C8 02 09 "345000123"
  C3 03 "1.0"
  86 06 41 00 01 41 01 05
  88 07 08 42 00 0E D8 42 01 13 88
  87 08 41 00 7D 42 01 03 84
  C1 09 64
  C1 0A 0F
  83 0B 41 00 00
  C4 0D 51 82 42 8F
  C6 0E "+02:00"
  C1 10 "U"`);

/** The same inside its object instance, as the answer to a read of /3: 121 bytes. */
export const DEVICE_OBJECT_TLV = Buffer.concat([bytes('08 00 79'), DEVICE_TLV]);

export const DEVICE_JSON =
  '{"bn":"/3/0/","e":[' +
  '{"n":"0","sv":"Open Mobile Alliance"},{"n":"1","sv":"Lightweight M2M Client"},{"n":"2","sv":"345000123"},' +
  '{"n":"3","sv":"1.0"},{"n":"6/0","v":1},{"n":"6/1","v":5},{"n":"7/0","v":3800},{"n":"7/1","v":5000},' +
  '{"n":"8/0","v":125},{"n":"8/1","v":900},{"n":"9","v":100},{"n":"10","v":15},{"n":"11/0","v":0},' +
  '{"n":"13","v":1367491215},{"n":"14","sv":"+02:00"},{"n":"16","sv":"U"}]}';

export const DEVICE_SENML_JSON =
  '[{"bn":"/3/0/","n":"0","vs":"Open Mobile Alliance"},{"n":"1","vs":"Lightweight M2M Client"},' +
  '{"n":"2","vs":"345000123"},{"n":"3","vs":"1.0"},{"n":"6/0","v":1},{"n":"6/1","v":5},{"n":"7/0","v":3800},' +
  '{"n":"7/1","v":5000},{"n":"8/0","v":125},{"n":"8/1","v":900},{"n":"9","v":100},{"n":"10","v":15},' +
  '{"n":"11/0","v":0},{"n":"13","v":1367491215},{"n":"14","vs":"+02:00"},{"n":"16","vs":"U"}]';

/** Labels: -2 (21) base name, 0 name, 2 value, 3 text. */
export const DEVICE_SENML_CBOR = bytes(`
  90
  A3 21 65 "/3/0/" 00 61 "0" 03 74 "Open Mobile Alliance"
  A2 00 61 "1" 03 76 "Lightweight M2M Client"
  A2 00 61 "2" 03 69 "345000123"
  A2 00 61 "3" 03 63 "1.0"
  A2 00 63 "6/0" 02 01
  A2 00 63 "6/1" 02 05
  A2 00 63 "7/0" 02 19 0E D8
  A2 00 63 "7/1" 02 19 13 88
  A2 00 63 "8/0" 02 18 7D
  A2 00 63 "8/1" 02 19 03 84
  A2 00 61 "9" 02 18 64
  A2 00 62 "10" 02 0F
  A2 00 64 "11/0" 02 00
  A2 00 62 "13" 02 1A 51 82 42 8F
  A2 00 62 "14" 03 66 "+02:00"
  A2 00 62 "16" 03 61 "U"`);

export const DEVICE_LWM2M_CBOR = bytes(`
  A1 03 A1 00 AD
  00 74 "Open Mobile Alliance"
  01 76 "Lightweight M2M Client"
  02 69 "345000123"
  03 63 "1.0"
  06 A2 00 01 01 05
  07 A2 00 19 0E D8 01 19 13 88
  08 A2 00 18 7D 01 19 03 84
  09 18 64
  0A 0F
  0B A1 00 00
  0D 1A 51 82 42 8F
  0E 66 "+02:00"
  10 61 "U"`);

/** What a flow gets of it. */
export const DEVICE_VALUE = {
  0: 'Open Mobile Alliance',
  1: 'Lightweight M2M Client',
  2: '345000123',
  3: '1.0',
  6: { 0: 1, 1: 5 },
  7: { 0: 3800, 1: 5000 },
  8: { 0: 125, 1: 900 },
  9: 100,
  10: 15,
  11: { 0: 0 },
  13: new Date('2013-05-02T10:40:15Z'),
  14: '+02:00',
  16: 'U',
};
