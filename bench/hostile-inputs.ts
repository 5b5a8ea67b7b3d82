const SIZE = 65_536;

function repeated(text: string): Buffer {
  return Buffer.from(text.repeat(Math.ceil(SIZE / text.length)).slice(0, SIZE));
}

function bytes(...parts: (string | Buffer)[]): Buffer {
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'hex') : part))).subarray(
    0,
    SIZE,
  );
}

/** Fills up to 64 KiB with a pattern. */
function filled(hex: string): Buffer {
  return Buffer.alloc(SIZE, Buffer.from(hex, 'hex'));
}

function list(head: string, item: (n: number) => string, count: number, tail: string): Buffer {
  return Buffer.from(head + Array.from({ length: count }, (_unused, n) => item(n)).join('') + tail);
}

/** Payloads of 64 KiB at most that are made to cost: depth, counts, long tokens, near-duplicates. By what they do. */
export const HOSTILE_INPUTS: ReadonlyMap<string, Buffer> = new Map([
  ['zeros', Buffer.alloc(SIZE)],
  ['ones', Buffer.alloc(SIZE, 0xff)],
  ['nested JSON arrays', repeated('[')],
  ['nested JSON objects', repeated('{"a":')],
  ['one long number', repeated('9')],
  ['quotes', repeated('"')],
  ['escaped quotes', repeated('"\\')],
  ['the same SenML record', list('[{"n":"/3/0/9","v":1}', () => ',{"n":"/3/0/9","v":1}', 2_900, ']')],
  ['empty SenML records', list('[{}', () => ',{}', 21_000, ']')],
  ['64-bit integers', list('[{"n":"/3/0/9","v":1}', (n) => `,{"n":"/3/0/9","v":1844674407370955${n}}`, 1_300, ']')],
  ['unknown SenML fields', list('[{"a":1', (n) => `,"k${n}":1`, 6_000, '}]')],
  ['a long SenML name', list('[{"n":"', () => '/1', 32_000, '","v":1}]')],
  ['escapes in a text', list('[{"n":"/3/0/9","vs":"', () => '\\u0000', 10_800, '"}]')],
  ['OMA JSON elements', list('{"e":[{"n":"9","v":1}', (n) => `,{"n":"${n}","v":1}`, 2_900, ']}')],
  ['nested CBOR arrays', filled('81')],
  ['empty CBOR arrays', bytes('99fff0', filled('80'))],
  ['empty CBOR maps', bytes('99fff0', filled('a0'))],
  ['chunks of an indefinite CBOR text', bytes('7f', filled('6161'))],
  ['CBOR map with float keys', bytes('b9ffff', filled('f93c00'))],
  ['SenML CBOR records', bytes('991500', filled('a200662f332f302f3902f5'))],
  ['LwM2M CBOR ids', bytes('a10300bf', filled('00'))],
  ['the same TLV resource', filled('c10901')],
  ['empty TLV resources', filled('c000')],
  ['empty TLV instances', filled('18000000')],
  [
    'different TLV resources',
    Buffer.concat(
      Array.from({ length: 9_999 }, (_unused, n) => {
        const id = (n * 7919) % 65_521;
        return Buffer.from([0xe1, id >> 8, id & 0xff, 1]);
      }),
    ),
  ],
  ['links', repeated('</3/0>;a=1,')],
  ['a link of many attributes', list('<>', (n) => `;a${n}`, 9_000, '')],
  ['an attribute that does not end', bytes(Buffer.from('<>;a="'), repeated('\\"'))],
]);
