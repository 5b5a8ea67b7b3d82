import { CodecError, TransportError } from '../errors';
import type { Channel } from '../transport/transport';
import type { Clock } from '../util/clock';
import type { TimerWheel, WheelTimer } from '../util/timer-wheel';
import { AlertError, encodeAlert, type AlertName } from './alert';
import type { DtlsLimits } from './dtls-limits';
import type { DtlsStatistics } from './dtls-statistics';
import { FlightTransmitter } from './flight-transmitter';
import { resumptionFlight } from './flights/flight-4-resumption';
import { serverHelloFlight } from './flights/flight-4-server-hello';
import { FLIGHT_5 } from './flights/flight-5-client';
import { finishedFlight } from './flights/flight-6-finished';
import type { HandshakeContext } from './handshake-context';
import { nextState, type ClientMessage, type HandshakeState } from './handshake-transitions';
import { MessageAssembler, type AssembledMessage } from './message-assembler';
import { decodeHandshakeFragments, type HandshakeFragment } from './messages/handshake-fragment';
import { HandshakeType } from './messages/handshake-type';
import { ContentType, type DtlsRecord } from './record/record';
import type { RecordCipher } from './record/record-cipher';
import { RecordReader } from './record/record-reader';
import { RecordWriter } from './record/record-writer';

/** Records that came before their time: a network reorders them, and a key lookup takes its time. */
const MAX_EARLY_RECORDS = 8;
const MAX_EARLY_BYTES = 4096;

const CLIENT_MESSAGES: ReadonlyMap<number, keyof typeof FLIGHT_5> = new Map([
  [HandshakeType.certificate, 'Certificate'],
  [HandshakeType.clientKeyExchange, 'ClientKeyExchange'],
  [HandshakeType.certificateVerify, 'CertificateVerify'],
  [HandshakeType.finished, 'Finished'],
]);

/** What a handshake tells the transport; `connected` or `failed`, once. */
export interface HandshakeListener {
  /** The client's Finished is verified and the server's last flight sent. */
  connected(handshake: Handshake): void;
  failed(handshake: Handshake, reason: Error): void;
}

export interface HandshakeOptions {
  readonly context: HandshakeContext;
  /** Of our connection id (`ConnectionIds`). */
  readonly serial: number | undefined;
  readonly inner: Channel;
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly limits: DtlsLimits;
  readonly mtu: number;
  readonly listener: HandshakeListener;
  readonly statistics: DtlsStatistics;
  /** Of the record and the message that the ClientHello with the good cookie came in. */
  readonly recordSequence: number;
  readonly hello: AssembledMessage;
}

/**
 * One handshake from the ClientHello with a good cookie on. What may come is in the transition table; the flights know what
 * to do with it. Here is the rest: order, fragments, epochs, retransmission and the end.
 */
export class Handshake {
  readonly context: HandshakeContext;
  readonly serial: number | undefined;
  readonly inner: Channel;
  readonly writer: RecordWriter;
  readonly transmitter: FlightTransmitter;
  /** `monotonic()` ms. */
  readonly startedAt: number;
  #reader: RecordReader | undefined;
  #state: HandshakeState = 'client-hello';
  #isOver = false;
  /** A handler waits for the credentials. */
  #isBusy = false;
  #changeCipherSpecCame = false;
  readonly #early: DtlsRecord[] = [];
  readonly #earlyData: Buffer[] = [];
  readonly #assembler: MessageAssembler;
  readonly #deadline: WheelTimer;
  readonly #options: HandshakeOptions;

  constructor(options: HandshakeOptions) {
    const { context, inner, limits, wheel, clock, hello } = options;
    this.#options = options;
    this.context = context;
    this.serial = options.serial;
    this.inner = inner;
    this.startedAt = clock.monotonic();
    this.writer = new RecordWriter(options.recordSequence);
    this.transmitter = new FlightTransmitter({
      writer: this.writer,
      clock,
      wheel,
      inner,
      statistics: options.statistics,
      mtu: options.mtu,
      maxPlaintextLength: context.agreement.maxPlaintextLength,
      retransmission: limits.retransmission,
      maxRetransmission: limits.maxRetransmission,
    });
    this.#assembler = new MessageAssembler(hello.messageSeq + 1);
    this.#deadline = wheel.schedule(limits.handshakeTimeout, () =>
      this.#fail(new TransportError('the handshake took too long')),
    );
  }

  get state(): HandshakeState {
    return this.#state;
  }

  /** Set once the keys are there; the session reads on with it. */
  get reader(): RecordReader | undefined {
    return this.#reader;
  }

  /** Bytes kept for messages and records that wait for others. */
  get pendingBytes(): number {
    return this.#assembler.pendingBytes + this.#earlyBytes();
  }

  /** Answers the ClientHello with flight 4. */
  start(): void {
    this.#guard(() => {
      this.context.enter(this.#options.hello);
      this.#advance('ClientHello');
      const { resumed } = this.context.agreement;
      if (resumed === undefined) {
        this.transmitter.start(serverHelloFlight(this.context));
      } else {
        const { cipher, flight } = resumptionFlight(this.context, resumed);
        this.#useKeys(cipher);
        this.transmitter.start(flight);
      }
    });
  }

  /** Whether a ClientHello with a good cookie is only the one of this handshake again. */
  isRepeated(random: Buffer): boolean {
    return this.context.hello.random.equals(random);
  }

  /** Handshake messages of epoch 0, which anybody may have sent. Under the new keys they mean nothing any more. */
  receivePlain(fragments: readonly HandshakeFragment[]): void {
    if (this.#state === 'finished') return;
    this.#guard(() => {
      for (const fragment of fragments) this.#assembler.add(fragment);
      this.#proceed();
    });
  }

  /** Counts once it is its turn; before that it waits like any message that a network reordered. */
  receiveChangeCipherSpec(): void {
    this.#changeCipherSpecCame = true;
    this.#guard(() => this.#proceed());
  }

  /** A record of epoch 1 that is not the old session's. */
  receiveSealed(record: DtlsRecord): void {
    // A peer that agreed on a connection id uses it in every record (RFC 9146 s3).
    if (this.serial !== undefined && record.cid === undefined) return;
    if (this.#early.length >= MAX_EARLY_RECORDS) return;
    if (this.#earlyBytes() + record.fragment.length > MAX_EARLY_BYTES) return;
    // Copies: a view would keep the whole datagram.
    const { cid, fragment } = record;
    this.#early.push({ ...record, cid: cid && Buffer.from(cid), fragment: Buffer.from(fragment) });
    this.#guard(() => this.#proceed());
  }

  /** What came under the new keys before the Finished: opened application data, and records still sealed. */
  takeEarly(): { data: Buffer[]; records: DtlsRecord[] } {
    return { data: this.#earlyData.splice(0), records: this.#early.splice(0) };
  }

  /** Ends the handshake from outside, without a word to the listener. */
  abort(alert?: AlertName): void {
    if (this.#isOver) return;
    this.#end();
    if (alert !== undefined) this.#sendAlert(alert);
  }

  /** The messages that are due, then ChangeCipherSpec, then what was sealed, as far as they are there. */
  #proceed(): void {
    while (!this.#isBusy && !this.#isOver) {
      const message = this.#assembler.take();
      const early = message === undefined && this.#state === 'finished' ? this.#early.shift() : undefined;
      if (message !== undefined) this.#receive(message);
      else if (early !== undefined) this.#open(early);
      else if (this.#state === 'change-cipher-spec' && this.#changeCipherSpecCame) this.#changeCipherSpec();
      else return;
    }
  }

  #receive(message: AssembledMessage): void {
    const name = CLIENT_MESSAGES.get(message.type);
    if (name === undefined || nextState(this.context.agreement.kind, this.#state, name) === undefined) {
      throw new AlertError('unexpectedMessage', `the message ${message.type} came in the state '${this.#state}'`);
    }
    const answer = FLIGHT_5[name](this.context, message);
    if (answer === undefined) return this.#received(name);
    this.#isBusy = true;
    answer.then(
      () => this.#goOn(() => this.#received(name)),
      (error: unknown) => this.#goOn(() => this.#fail(error)),
    );
  }

  /** After a wait for the credentials. */
  #goOn(step: () => void): void {
    this.#isBusy = false;
    if (this.#isOver) return;
    this.#guard(() => {
      step();
      this.#proceed();
    });
  }

  #received(name: ClientMessage): void {
    this.#advance(name);
    if (this.#reader === undefined && this.context.cipher !== undefined) this.#useKeys(this.context.cipher);
    if (this.#state === 'connected') this.#connected();
  }

  #changeCipherSpec(): void {
    this.#advance('ChangeCipherSpec');
    // From here on only sealed messages count; what waits came in the clear.
    this.#assembler.dropPending();
  }

  #advance(message: ClientMessage): void {
    const state = nextState(this.context.agreement.kind, this.#state, message);
    if (state === undefined) {
      throw new AlertError('unexpectedMessage', `${message} came in the state '${this.#state}'`);
    }
    this.#state = state;
  }

  #useKeys(cipher: RecordCipher): void {
    this.#reader = new RecordReader(cipher);
    this.writer.setCipher(cipher, this.context.agreement.clientConnectionId);
  }

  #open(record: DtlsRecord): void {
    const read = this.#reader?.read(record) ?? 'forged';
    if (read === 'replayed') return;
    if (read === 'forged') {
      // Most likely another key than ours. Data that cannot be opened may as well be of an older session.
      if (record.type === ContentType.applicationData) return;
      throw new AlertError('decryptError', 'what should be the Finished was sealed with another key');
    }
    if (read.type === ContentType.handshake) {
      for (const fragment of decodeHandshakeFragments(read.data)) this.#assembler.add(fragment);
    } else if (read.type === ContentType.applicationData) {
      if (this.#earlyData.length < MAX_EARLY_RECORDS) this.#earlyData.push(read.data);
    } else if (read.type === ContentType.alert) {
      throw new TransportError(`the peer ended the handshake with the alert ${read.data.toString('hex')}`);
    }
  }

  #connected(): void {
    const { masterSecret, agreement } = this.context;
    if (masterSecret === undefined) throw new AlertError('internalError', 'there is no master secret');
    this.#end();
    if (agreement.resumed === undefined) this.transmitter.startLast(finishedFlight(this.context, masterSecret));
    this.#options.listener.connected(this);
  }

  #guard(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    // Not the peer's doing any more, but that of a layer above.
    if (this.#isOver) throw error;
    this.#end();
    if (error instanceof AlertError) this.#sendAlert(error.alert);
    else if (error instanceof CodecError) this.#sendAlert('decodeError');
    else if (!(error instanceof TransportError)) this.#sendAlert('internalError');
    this.#options.listener.failed(this, error instanceof Error ? error : new Error(String(error)));
  }

  #end(): void {
    this.#isOver = true;
    this.#deadline.cancel();
    this.transmitter.stop();
  }

  /** In the clear, unless we have already changed to the new keys. */
  #sendAlert(alert: AlertName): void {
    const epoch = this.context.agreement.kind === 'resumption' && this.#reader !== undefined ? 1 : 0;
    this.inner.send(this.writer.write(epoch, ContentType.alert, encodeAlert('fatal', alert)));
  }

  #earlyBytes(): number {
    return this.#early.reduce((sum, record) => sum + record.fragment.length, 0);
  }
}
