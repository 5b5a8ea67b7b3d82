import { CoapCode, decodeMessage, encodeMessage, MessageType, type CoapOptions } from '../src/coap';

/** What a lamp registers with: Server, Device, Light Control and Illuminance. */
const LINKS = Buffer.from('</>;rt="oma.lwm2m";ct="110 112 11542",</1/0>,</3/0>,</3311/0>,</3301/0>');
const EMPTY = Buffer.alloc(0);

function message(
  type: MessageType,
  code: number,
  messageId: number,
  token: Buffer,
  options: CoapOptions,
  payload = EMPTY,
) {
  return encodeMessage({ type, code, messageId, token, options, payload });
}

function tokenOf(messageId: number): Buffer {
  const token = Buffer.alloc(4);
  token.writeUInt32BE(messageId);
  return token;
}

/** @param sleeps it is in queue mode. */
export function registerDatagram(endpoint: string, messageId: number, sleeps = false): Buffer {
  const uriQuery = [`ep=${endpoint}`, 'lt=86400', 'lwm2m=1.1', 'b=U', ...(sleeps ? ['Q'] : [])];
  const options = { uriPath: ['rd'], contentFormat: 40, uriQuery };
  return message(MessageType.CON, CoapCode.POST, messageId, tokenOf(messageId), options, LINKS);
}

export function updateDatagram(location: string, messageId: number): Buffer {
  return message(MessageType.CON, CoapCode.POST, messageId, tokenOf(messageId), { uriPath: ['rd', location] });
}

export function notificationDatagram(token: Buffer, observe: number, messageId: number): Buffer {
  const options = { observe, contentFormat: 0 };
  return message(MessageType.CON, CoapCode.Content, messageId, token, options, Buffer.from(String(observe & 1)));
}

/** The registration id in the answer to a registration. */
export function locationOf(answer: Buffer): string {
  const id = decodeMessage(answer).options.locationPath?.[1];
  if (id === undefined) throw new Error('a registration was refused');
  return id;
}

/** What a device answers to a request of the server: a value to GET (observed when asked so), changed to PUT. */
export function answerTo(request: Buffer): { answer: Buffer; observed?: Buffer } {
  const { code, messageId, token, options } = decodeMessage(request);
  if (code !== CoapCode.GET) return { answer: message(MessageType.ACK, CoapCode.Changed, messageId, token, {}) };
  const observed = options.observe === 0;
  const answerOptions = observed ? { observe: 1, contentFormat: 0 } : { contentFormat: 0 };
  const answer = message(MessageType.ACK, CoapCode.Content, messageId, token, answerOptions, Buffer.from('1'));
  return observed ? { answer, observed: token } : { answer };
}

/** Whether a datagram is a request (class 0, not empty). */
export function isRequest(datagram: Buffer): boolean {
  const code = datagram[1] ?? 0;
  return code > 0 && code < 0x20;
}
