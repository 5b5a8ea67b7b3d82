import {
  createCipheriv,
  createDecipheriv,
  createECDH,
  createHash,
  createHmac,
  randomBytes,
  sign,
  type ECDH,
  type KeyObject,
} from 'node:crypto';
import type { Clock, Timer } from '../../src/util/clock';

/*
 * A DTLS 1.2 client for tests only. It shares nothing with src/dtls, so that a mistake must be made twice to go unseen; it does
 * not check the server's signature or certificate (the interoperability tests do), but it does check every MAC and the
 * server's Finished. A test may let it shake hands by itself or drive it message by message.
 */

export const Suite = {
  pskCcm8: 0xc0a8,
  pskCbc: 0x00ae,
  ecdhePskCbc: 0xc037,
  ecdsaCcm8: 0xc0ae,
  ecdsaGcm: 0xc02b,
  ecdsaCbc: 0xc023,
} as const;

export const Type = {
  clientHello: 1,
  serverHello: 2,
  helloVerifyRequest: 3,
  certificate: 11,
  serverKeyExchange: 12,
  certificateRequest: 13,
  serverHelloDone: 14,
  certificateVerify: 15,
  clientKeyExchange: 16,
  finished: 20,
} as const;

export const Content = { changeCipherSpec: 20, alert: 21, handshake: 22, data: 23, cid: 25 } as const;

export interface ClientCredentials {
  readonly psk?: { readonly identity: string | Buffer; readonly key: Buffer };
  /** What stands in the Certificate message, in DER, and the key for CertificateVerify. */
  readonly certificate?: { readonly kind: 'rpk' | 'x509'; readonly der: readonly Buffer[]; readonly key: KeyObject };
}

export interface Resumption {
  readonly sessionId: Buffer;
  readonly master: Buffer;
}

export interface DtlsClientOptions extends ClientCredentials {
  readonly suite: number;
  /** Sends again what is not answered; without a clock nothing is. */
  readonly clock?: Clock;
  readonly extendedMasterSecret?: boolean;
  readonly encryptThenMac?: boolean;
  /** The client's own connection id; empty: it wants none but uses the server's. */
  readonly connectionId?: Buffer;
  /** Most bytes of a handshake fragment. */
  readonly fragment?: number;
  readonly resume?: Resumption;
  /** Extensions as they are, besides the usual. */
  readonly extraExtensions?: readonly (readonly [number, Buffer])[];
  /** Empty in an honest initial handshake. */
  readonly renegotiationInfo?: Buffer;
  readonly extraSuites?: readonly number[];
  readonly random?: Buffer;
  readonly version?: number;
}

interface Keys {
  macWrite: Buffer;
  macRead: Buffer;
  write: Buffer;
  read: Buffer;
  saltWrite: Buffer;
  saltRead: Buffer;
}

export interface Record {
  type: number;
  epoch: number;
  sequence: number;
  cid: Buffer;
  fragment: Buffer;
  /** As on the wire. */
  whole: Buffer;
}

const u8 = (n: number) => Buffer.from([n]);
const u16 = (n: number) => Buffer.from([n >> 8, n & 255]);
const u24 = (n: number) => Buffer.from([n >> 16, (n >> 8) & 255, n & 255]);
const v8 = (b: Buffer) => Buffer.concat([u8(b.length), b]);
const v16 = (b: Buffer) => Buffer.concat([u16(b.length), b]);
const v24 = (b: Buffer) => Buffer.concat([u24(b.length), b]);
const hmac = (key: Buffer, ...data: Buffer[]) => {
  const mac = createHmac('sha256', key);
  for (const part of data) mac.update(part);
  return mac.digest();
};

export function prf(secret: Buffer, label: string, seed: Buffer, length: number): Buffer {
  const text = Buffer.concat([Buffer.from(label), seed]);
  let a = text;
  let out = Buffer.alloc(0);
  while (out.length < length) {
    a = hmac(secret, a);
    out = Buffer.concat([out, hmac(secret, a, text)]);
  }
  return out.subarray(0, length);
}

/** The records of a datagram. @param cidLength of the connection id that its receiver asked for. */
export function recordsOf(datagram: Buffer, cidLength = 0): Record[] {
  const records: Record[] = [];
  for (let at = 0; at < datagram.length;) {
    const type = datagram.readUInt8(at);
    const n = type === Content.cid ? cidLength : 0;
    const length = datagram.readUInt16BE(at + 11 + n);
    const end = at + 13 + n + length;
    records.push({
      type,
      epoch: datagram.readUInt16BE(at + 3),
      sequence: datagram.readUIntBE(at + 5, 6),
      cid: datagram.subarray(at + 11, at + 11 + n),
      fragment: datagram.subarray(at + 13 + n, end),
      whole: datagram.subarray(at, end),
    });
    at = end;
  }
  return records;
}

/** What a client sends by itself when the server's flight is there. */
type Answer = 'all' | 'nothing';

export class DtlsClient {
  readonly options: DtlsClientOptions;
  /** Plaintext of the application data received. */
  readonly received: Buffer[] = [];
  /** Alerts received, `level description`, sealed ones with `!`. */
  readonly alerts: string[] = [];
  /** Types of the handshake messages received in order, once each. */
  readonly messages: number[] = [];
  onData: ((data: Buffer) => void) | undefined;
  /** Changes records on their way. */
  tamper: ((record: Buffer) => Buffer) | undefined;
  connected = false;
  /** The server's flight 4 is complete. */
  helloDone = false;
  answer: Answer = 'all';
  serverCid = Buffer.alloc(0);
  sessionId = Buffer.alloc(0);
  serverExtensions = new Map<number, Buffer>();
  master: Buffer = Buffer.alloc(0);
  resumed = false;
  random: Buffer;
  serverRandom: Buffer = Buffer.alloc(32);
  /** Handshake messages as the transcript has them. */
  transcript: Buffer[] = [];
  keys: Keys | undefined;
  /** Of epoch 0 and of epoch 1. */
  sequences: [number, number] = [0, 0];
  nextSeq = 0;
  #expectedSeq = 0;
  #serverChanged = false;
  readonly #parts = new Map<number, { type: number; body: Buffer; have: Set<number> }>();
  #ecdh: ECDH | undefined;
  #serverPoint = Buffer.alloc(0);
  #certificateRequested = false;
  /** Payloads of the flight, to be put into new records when sent again. */
  #flight: (() => void)[] = [];
  #timer: Timer | undefined;
  #wait = 1000;
  #sentAt = 0;
  #connecting: ((ok: boolean) => void)[] = [];
  readonly #transmit: (datagram: Buffer) => void;
  #corked: Buffer[] | undefined;

  constructor(transmit: (datagram: Buffer) => void, options: DtlsClientOptions) {
    this.#transmit = transmit;
    this.options = options;
    this.random = options.random ?? randomBytes(32);
  }

  /** Starts; the promise says whether it came to an end. */
  connect(): Promise<boolean> {
    const done = new Promise<boolean>((resolve) => this.#connecting.push(resolve));
    this.sayHello(Buffer.alloc(0));
    return done;
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  // ---- what it says

  helloBody(cookie: Buffer): Buffer {
    const { options } = this;
    const extensions: (readonly [number, Buffer])[] = [
      [10, v16(u16(23))],
      [11, v8(u8(0))],
      [13, v16(u16(0x0403))],
      [0xff01, v8(options.renegotiationInfo ?? Buffer.alloc(0))],
    ];
    if (options.extendedMasterSecret !== false) extensions.push([23, Buffer.alloc(0)]);
    if (options.encryptThenMac === true) extensions.push([22, Buffer.alloc(0)]);
    if (options.connectionId !== undefined) extensions.push([54, v8(options.connectionId)]);
    if (options.certificate?.kind === 'rpk') extensions.push([19, v8(u8(2))], [20, v8(u8(2))]);
    extensions.push(...(options.extraExtensions ?? []));
    return Buffer.concat([
      u16(options.version ?? 0xfefd),
      this.random,
      v8(options.resume?.sessionId ?? Buffer.alloc(0)),
      v8(cookie),
      v16(Buffer.concat([options.suite, ...(options.extraSuites ?? [])].map(u16))),
      v8(u8(0)),
      v16(Buffer.concat(extensions.map(([type, data]) => Buffer.concat([u16(type), v16(data)])))),
    ]);
  }

  /** Begins the transcript anew: only the last ClientHello counts. */
  sayHello(cookie: Buffer): void {
    const seq = this.nextSeq++;
    const body = this.helloBody(cookie);
    this.transcript = [];
    this.#enter(Type.clientHello, seq, body);
    this.#wait = 1000;
    this.#flight = [() => this.sendFragments(Type.clientHello, seq, body)];
    for (const step of this.#flight) step();
    this.#await();
  }

  certificateBody(): Buffer {
    const { certificate } = this.options;
    if (certificate === undefined) return u24(0);
    if (certificate.kind === 'rpk') return v24(certificate.der[0] ?? Buffer.alloc(0));
    return v24(Buffer.concat(certificate.der.map(v24)));
  }

  keyExchangeBody(): Buffer {
    const { suite, psk } = this.options;
    const identity = v16(Buffer.from(psk?.identity ?? ''));
    if (suite === Suite.pskCcm8 || suite === Suite.pskCbc) return identity;
    this.#ecdh ??= createECDH('prime256v1');
    const point = v8(this.#ecdh.generateKeys());
    return suite === Suite.ecdhePskCbc ? Buffer.concat([identity, point]) : point;
  }

  verifyBody(): Buffer {
    const { certificate } = this.options;
    if (certificate === undefined) throw new Error('there is no key to sign with');
    return Buffer.concat([u16(0x0403), v16(sign('sha256', Buffer.concat(this.transcript), certificate.key))]);
  }

  finishedBody(sender = 'client'): Buffer {
    return prf(this.master, `${sender} finished`, this.#hash(), 12);
  }

  /** The master secret of the transcript so far, which must end with ClientKeyExchange, and the keys. */
  deriveKeys(): void {
    const premaster = this.#premaster();
    this.master =
      this.options.extendedMasterSecret === false || !this.serverExtensions.has(23)
        ? prf(premaster, 'master secret', Buffer.concat([this.random, this.serverRandom]), 48)
        : prf(premaster, 'extended master secret', this.#hash(), 48);
    this.#expand();
  }

  /** Numbers a message, enters it into the transcript and sends it. */
  sendMessage(type: number, body: Buffer, epoch: 0 | 1 = 0): void {
    const seq = this.nextSeq++;
    this.sendFragments(type, seq, body, epoch);
    this.#enter(type, seq, body);
    this.#flight.push(() => this.sendFragments(type, seq, body, epoch));
  }

  sendFragments(type: number, seq: number, body: Buffer, epoch: 0 | 1 = 0): void {
    const size = this.options.fragment ?? 1100;
    let at = 0;
    do {
      const piece = body.subarray(at, at + size);
      const header = Buffer.concat([u8(type), u24(body.length), u16(seq), u24(at), u24(piece.length)]);
      this.sendRecord(Content.handshake, Buffer.concat([header, piece]), epoch);
      at += piece.length;
    } while (at < body.length);
  }

  sendChangeCipherSpec(): void {
    this.sendRecord(Content.changeCipherSpec, u8(1), 0);
    this.#flight.push(() => this.sendRecord(Content.changeCipherSpec, u8(1), 0));
  }

  sendRecord(type: number, data: Buffer, epoch: 0 | 1): void {
    const sealed = epoch === 0 ? this.plainRecord(type, data) : this.seal(type, data);
    const record = this.tamper?.(sealed) ?? sealed;
    if (this.#corked === undefined) this.#transmit(record);
    else this.#corked.push(record);
  }

  send(data: Buffer): void {
    this.sendRecord(Content.data, data, 1);
  }

  /** What is sent within leaves in one datagram. */
  cork(step: () => void): void {
    this.#corked = [];
    step();
    const records = this.#corked;
    this.#corked = undefined;
    this.#transmit(Buffer.concat(records));
  }

  plainRecord(type: number, data: Buffer): Buffer {
    return Buffer.concat([u8(type), u16(0xfefd), u16(0), this.#number(0), v16(data)]);
  }

  /** The answer to a complete flight 4. */
  sendFlight5(): void {
    this.#flight = [];
    this.#wait = 1000;
    this.cork(() => {
      if (this.#certificateRequested) this.sendMessage(Type.certificate, this.certificateBody());
      this.sendMessage(Type.clientKeyExchange, this.keyExchangeBody());
      this.deriveKeys();
      if (this.#certificateRequested && this.options.certificate !== undefined) {
        this.sendMessage(Type.certificateVerify, this.verifyBody());
      }
      this.sendChangeCipherSpec();
      this.sendMessage(Type.finished, this.finishedBody(), 1);
    });
    this.#await();
  }

  // ---- what it hears

  receive(datagram: Buffer): void {
    const cidLength = this.options.connectionId?.length ?? 0;
    for (const record of recordsOf(datagram, cidLength)) this.#receiveRecord(record);
  }

  #receiveRecord(record: Record): void {
    let { type, fragment } = record;
    if (record.epoch === 1) {
      if (this.keys === undefined || (!this.#serverChanged && !this.connected)) return;
      const opened = this.open(record);
      if (opened === undefined) throw new Error('the server sealed a record wrongly');
      ({ type, data: fragment } = opened);
    }
    if (type === Content.alert) this.alerts.push(`${fragment[0]} ${fragment[1]}${record.epoch === 1 ? '!' : ''}`);
    else if (type === Content.changeCipherSpec) this.#serverChanged = true;
    else if (type === Content.data) {
      this.received.push(fragment);
      this.onData?.(fragment);
    } else if (type === Content.handshake) this.#receiveHandshake(fragment);
  }

  #receiveHandshake(bytes: Buffer): void {
    for (let at = 0; at < bytes.length;) {
      const type = bytes.readUInt8(at);
      const length = bytes.readUIntBE(at + 1, 3);
      const seq = bytes.readUInt16BE(at + 4);
      const offset = bytes.readUIntBE(at + 6, 3);
      const size = bytes.readUIntBE(at + 9, 3);
      this.#part(type, length, seq, offset, bytes.subarray(at + 12, at + 12 + size));
      at += 12 + size;
    }
    for (let part = this.#parts.get(this.#expectedSeq); part !== undefined;) {
      if (part.have.size < part.body.length) return;
      const seq = this.#expectedSeq;
      this.#parts.delete(seq);
      this.#expectedSeq += 1;
      this.#message(part.type, seq, part.body);
      part = this.#parts.get(this.#expectedSeq);
    }
  }

  #part(type: number, length: number, seq: number, offset: number, bytes: Buffer): void {
    if (seq < this.#expectedSeq) {
      // The server repeats its flight: it has not got ours (RFC 6347 s4.2.4).
      const isLast = type === (this.resumed ? Type.finished : Type.serverHelloDone);
      const now = this.options.clock?.monotonic() ?? 0;
      if (isLast && this.helloDone && this.answer === 'all' && now - this.#sentAt >= 250) {
        this.#sentAt = now;
        for (const step of this.#flight) step();
      }
      return;
    }
    const part = this.#parts.get(seq) ?? { type, body: Buffer.alloc(length), have: new Set<number>() };
    bytes.copy(part.body, offset);
    for (let index = 0; index < bytes.length; index++) part.have.add(offset + index);
    this.#parts.set(seq, part);
  }

  #message(type: number, seq: number, body: Buffer): void {
    this.messages.push(type);
    if (type === Type.helloVerifyRequest) {
      return this.sayHello(Buffer.from(body.subarray(3)));
    }
    if (type === Type.finished) this.#checkFinished(body);
    this.#enter(type, seq, body);
    if (type === Type.serverHello) this.#serverHello(body);
    else if (type === Type.serverKeyExchange) this.#serverKeyExchange(body);
    else if (type === Type.certificateRequest) this.#certificateRequested = true;
    else if (type === Type.serverHelloDone) {
      this.helloDone = true;
      if (this.answer === 'all') this.sendFlight5();
    } else if (type === Type.finished) this.#finished();
  }

  #checkFinished(body: Buffer): void {
    if (!this.finishedBody('server').equals(body)) throw new Error("the server's Finished is wrong");
  }

  #finished(): void {
    this.stop();
    this.#flight = [];
    if (this.resumed) {
      this.helloDone = true;
      if (this.answer !== 'all') return;
      this.cork(() => {
        this.sendChangeCipherSpec();
        this.sendMessage(Type.finished, this.finishedBody(), 1);
      });
    }
    this.connected = true;
    for (const resolve of this.#connecting.splice(0)) resolve(true);
  }

  #serverHello(body: Buffer): void {
    this.serverRandom = Buffer.from(body.subarray(2, 34));
    const idLength = body.readUInt8(34);
    this.sessionId = Buffer.from(body.subarray(35, 35 + idLength));
    for (let at = 35 + idLength + 5; at < body.length;) {
      const length = body.readUInt16BE(at + 2);
      this.serverExtensions.set(body.readUInt16BE(at), Buffer.from(body.subarray(at + 4, at + 4 + length)));
      at += 4 + length;
    }
    const cid = this.serverExtensions.get(54);
    if (cid !== undefined) this.serverCid = Buffer.from(cid.subarray(1));
    const { resume } = this.options;
    if (resume !== undefined && resume.sessionId.length > 0 && resume.sessionId.equals(this.sessionId)) {
      this.resumed = true;
      this.master = resume.master;
      this.#expand();
    }
  }

  #serverKeyExchange(body: Buffer): void {
    const at = this.options.suite === Suite.ecdhePskCbc ? 2 + body.readUInt16BE(0) : 0;
    this.#serverPoint = Buffer.from(body.subarray(at + 4, at + 4 + body.readUInt8(at + 3)));
  }

  // ---- keys and records

  #premaster(): Buffer {
    const { suite, psk } = this.options;
    const shared =
      suite === Suite.pskCcm8 || suite === Suite.pskCbc
        ? Buffer.alloc(psk?.key.length ?? 0)
        : (this.#ecdh as ECDH).computeSecret(this.#serverPoint);
    if (psk === undefined) return shared;
    return Buffer.concat([v16(shared), v16(psk.key)]);
  }

  #expand(): void {
    const cbc = this.#isCbc();
    const block = prf(this.master, 'key expansion', Buffer.concat([this.serverRandom, this.random]), 200);
    let at = 0;
    const take = (length: number) => block.subarray(at, (at += length));
    const mac = cbc ? 32 : 0;
    const salt = cbc ? 0 : 4;
    const [macWrite, macRead, write, read] = [take(mac), take(mac), take(16), take(16)];
    this.keys = { macWrite, macRead, write, read, saltWrite: take(salt), saltRead: take(salt) };
  }

  #isCbc(): boolean {
    const { suite } = this.options;
    return suite === Suite.pskCbc || suite === Suite.ecdhePskCbc || suite === Suite.ecdsaCbc;
  }

  #number(epoch: 0 | 1): Buffer {
    const bytes = Buffer.alloc(6);
    bytes.writeUIntBE(this.sequences[epoch]++, 0, 6);
    return bytes;
  }

  seal(type: number, data: Buffer): Buffer {
    const { keys, serverCid: cid } = this;
    if (keys === undefined) throw new Error('there are no keys');
    const number = Buffer.concat([u16(1), this.#number(1)]);
    const inner = cid.length > 0 ? Buffer.concat([data, u8(type)]) : data;
    const outer = cid.length > 0 ? Content.cid : type;
    const fragment = this.#isCbc()
      ? this.#sealCbc(keys, outer, number, cid, inner)
      : this.#sealAead(keys, outer, number, cid, inner);
    return Buffer.concat([u8(outer), u16(0xfefd), number, cid, v16(fragment)]);
  }

  #aad(type: number, number: Buffer, cid: Buffer, length: number): Buffer {
    if (type !== Content.cid) return Buffer.concat([number, u8(type), u16(0xfefd), u16(length)]);
    const marker = Buffer.concat([Buffer.alloc(8, 255), u8(25), u8(cid.length), u8(25), u16(0xfefd)]);
    return Buffer.concat([marker, number, cid, u16(length)]);
  }

  #sealAead(keys: Keys, type: number, number: Buffer, cid: Buffer, inner: Buffer): Buffer {
    const nonce = Buffer.concat([keys.saltWrite, number]);
    const gcm = this.options.suite === Suite.ecdsaGcm;
    const cipher = gcm
      ? createCipheriv('aes-128-gcm', keys.write, nonce)
      : createCipheriv('aes-128-ccm', keys.write, nonce, { authTagLength: 8 });
    cipher.setAAD(this.#aad(type, number, cid, inner.length), { plaintextLength: inner.length });
    return Buffer.concat([number, cipher.update(inner), cipher.final(), cipher.getAuthTag()]);
  }

  #sealCbc(keys: Keys, type: number, number: Buffer, cid: Buffer, inner: Buffer): Buffer {
    const etm = this.serverExtensions.has(22);
    const mac = hmac(keys.macWrite, this.#aad(type, number, cid, inner.length), inner);
    const text = etm ? inner : Buffer.concat([inner, mac]);
    const pad = 16 - (text.length % 16);
    const iv = randomBytes(16);
    const cipher = createCipheriv('aes-128-cbc', keys.write, iv).setAutoPadding(false);
    const out = Buffer.concat([iv, cipher.update(Buffer.concat([text, Buffer.alloc(pad, pad - 1)])), cipher.final()]);
    return etm ? Buffer.concat([out, hmac(keys.macWrite, this.#aad(type, number, cid, out.length), out)]) : out;
  }

  open(record: Record): { type: number; data: Buffer } | undefined {
    const { keys } = this;
    if (keys === undefined) return undefined;
    const inner = this.#isCbc() ? this.#openCbc(keys, record) : this.#openAead(keys, record);
    if (inner === undefined || record.type !== Content.cid) return inner && { type: record.type, data: inner };
    let end = inner.length;
    while (inner[end - 1] === 0) end -= 1;
    return { type: inner.readUInt8(end - 1), data: inner.subarray(0, end - 1) };
  }

  #openAead(keys: Keys, { type, fragment, cid, epoch, sequence }: Record): Buffer | undefined {
    const gcm = this.options.suite === Suite.ecdsaGcm;
    const tag = gcm ? 16 : 8;
    const number = Buffer.concat([u16(epoch), Buffer.alloc(6)]);
    number.writeUIntBE(sequence, 2, 6);
    const nonce = Buffer.concat([keys.saltRead, fragment.subarray(0, 8)]);
    const length = fragment.length - 8 - tag;
    const decipher = gcm
      ? createDecipheriv('aes-128-gcm', keys.read, nonce)
      : createDecipheriv('aes-128-ccm', keys.read, nonce, { authTagLength: 8 });
    decipher.setAuthTag(fragment.subarray(-tag));
    decipher.setAAD(this.#aad(type, number, cid, length), { plaintextLength: length });
    try {
      const text = decipher.update(fragment.subarray(8, 8 + length));
      decipher.final();
      return text;
    } catch {
      return undefined;
    }
  }

  #openCbc(keys: Keys, { type, fragment, cid, epoch, sequence }: Record): Buffer | undefined {
    const number = Buffer.concat([u16(epoch), Buffer.alloc(6)]);
    number.writeUIntBE(sequence, 2, 6);
    const etm = this.serverExtensions.has(22);
    const sealed = etm ? fragment.subarray(0, -32) : fragment;
    const decipher = createDecipheriv('aes-128-cbc', keys.read, sealed.subarray(0, 16)).setAutoPadding(false);
    const padded = Buffer.concat([decipher.update(sealed.subarray(16)), decipher.final()]);
    const text = padded.subarray(0, padded.length - 1 - padded.readUInt8(padded.length - 1));
    const data = etm ? text : text.subarray(0, -32);
    const covered = etm ? sealed : data;
    const mac = hmac(keys.macRead, this.#aad(type, number, cid, covered.length), covered);
    return mac.equals(etm ? fragment.subarray(-32) : text.subarray(-32)) ? data : undefined;
  }

  // ---- flights

  #await(): void {
    this.stop();
    this.#sentAt = this.options.clock?.monotonic() ?? 0;
    this.#timer = this.options.clock?.setTimer(() => {
      this.#wait = Math.min(60_000, this.#wait * 2);
      const steps = this.#flight;
      for (const step of steps) step();
      this.#await();
    }, this.#wait);
  }

  #hash(): Buffer {
    return createHash('sha256').update(Buffer.concat(this.transcript)).digest();
  }

  #enter(type: number, seq: number, body: Buffer): void {
    this.transcript.push(Buffer.concat([u8(type), u24(body.length), u16(seq), u24(0), v24(body)]));
  }
}
