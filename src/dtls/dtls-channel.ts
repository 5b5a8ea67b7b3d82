import { CodecError, TransportError } from '../errors';
import type { Channel, PeerAddress, PeerIdentity, Transport } from '../transport/transport';
import { AlertDescription, AlertLevel, decodeAlert, encodeAlert, type Alert, type AlertName } from './alert';
import type { DtlsStatistics } from './dtls-statistics';
import type { FlightTransmitter } from './flight-transmitter';
import { HandshakeType } from './messages/handshake-type';
import { ContentType, type DtlsRecord } from './record/record';
import type { RecordReader } from './record/record-reader';
import type { RecordWriter } from './record/record-writer';
import type { ResumableSession } from './session-cache';

/** What one handshake made: keys, and where the peer is. */
export interface Connection {
  inner: Channel;
  readonly reader: RecordReader;
  readonly writer: RecordWriter;
  /** Of the connection id that the peer puts into its records (`ConnectionIds`). */
  readonly serial: number | undefined;
  readonly maxPlaintextLength: number;
  /** 48 bits of the ClientHello's random, to know a late copy of it. */
  readonly helloTag: number;
  /** Flight 6, as long as the peer may not have it. */
  lastFlight: FlightTransmitter | undefined;
}

/** What a channel needs of its transport. */
export interface ChannelOwner {
  readonly transport: Transport;
  readonly statistics: DtlsStatistics;
  now(): number;
  received(channel: DtlsChannel, datagram: Buffer): void;
  /** The peer's newest record came from here. */
  moved(channel: DtlsChannel, to: Channel): void;
  /** @param isFatal the session must not be resumed (RFC 5246 s7.2.2). */
  ended(channel: DtlsChannel, isFatal: boolean): void;
}

/**
 * A peer with a DTLS session. It lives as long as the session: a resumption gives it new keys, and perhaps a new address,
 * but the peer, and what it and the layers above agreed on, stay the same.
 */
export class DtlsChannel implements Channel {
  readonly scheme = 'coaps';
  readonly identity: PeerIdentity;
  readonly resumable: ResumableSession | undefined;
  context: unknown = undefined;
  /** The layer above has heard of this channel and not released it. */
  isKnown = false;
  /** `monotonic()` ms. */
  lastHeard: number;
  #connection: Connection;
  #isOpen = true;
  readonly #owner: ChannelOwner;

  constructor(owner: ChannelOwner, identity: PeerIdentity, connection: Connection, resumable?: ResumableSession) {
    this.#owner = owner;
    this.identity = identity;
    this.#connection = connection;
    this.resumable = resumable;
    this.lastHeard = owner.now();
  }

  get transport(): Transport {
    return this.#owner.transport;
  }

  get address(): PeerAddress {
    return this.#connection.inner.address;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get connection(): Connection {
    return this.#connection;
  }

  /** The session was resumed. */
  continueOn(connection: Connection): void {
    this.#connection.lastFlight?.stop();
    this.#connection = connection;
    this.lastHeard = this.#owner.now();
  }

  send(datagram: Buffer): void {
    if (!this.#isOpen) return;
    const { statistics } = this.#owner;
    if (datagram.length > this.#connection.maxPlaintextLength) {
      statistics.datagramsOversized += 1;
      return;
    }
    statistics.recordsSent += 1;
    this.#write(ContentType.applicationData, datagram);
  }

  /** False when the record is not of this session: not authentic, or seen before. */
  receive(record: DtlsRecord, from: Channel): boolean {
    if (!this.#isOpen) return false;
    const connection = this.#connection;
    // A peer that agreed on a connection id uses it in every record (RFC 9146 s3).
    if (connection.serial !== undefined && record.cid === undefined) return false;
    const read = connection.reader.read(record);
    const { statistics } = this.#owner;
    if (read === 'forged' || read === 'replayed') {
      if (read === 'forged') statistics.recordsForged += 1;
      else statistics.recordsReplayed += 1;
      return false;
    }
    statistics.recordsReceived += 1;
    this.lastHeard = this.#owner.now();
    if (read.isNewest && from !== connection.inner) this.#owner.moved(this, from);
    this.#deliver(read.type, read.data);
    return true;
  }

  /** Data that was opened by the handshake. */
  deliverEarly(data: Buffer): void {
    if (this.#isOpen) this.#deliver(ContentType.applicationData, data);
  }

  /**
   * Ends the session, with a word to the peer.
   * @param isFatal it must not be resumed; of a fatal alert it goes without saying (RFC 5246 s7.2.2).
   */
  end(level: keyof typeof AlertLevel, alert: AlertName, isFatal = level === 'fatal'): void {
    if (!this.#isOpen) return;
    this.#write(ContentType.alert, encodeAlert(level, alert));
    this.drop(isFatal);
  }

  /** Ends the session without a word. */
  drop(isFatal: boolean): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.forgetLastFlight();
    this.#owner.ended(this, isFatal);
  }

  forgetLastFlight(): void {
    this.#connection.lastFlight?.stop();
    this.#connection.lastFlight = undefined;
  }

  #deliver(type: number, data: Buffer): void {
    switch (type) {
      case ContentType.applicationData:
        // It has our Finished, or it would not send data.
        if (this.#connection.lastFlight !== undefined) this.forgetLastFlight();
        if (data.length > 0) this.#owner.received(this, data);
        return;
      case ContentType.alert:
        return this.#receiveAlert(data);
      case ContentType.handshake:
        return this.#receiveHandshake(data);
    }
  }

  #receiveAlert(data: Buffer): void {
    const alert = readAlert(data);
    if (alert === undefined) this.end('fatal', 'decodeError');
    else if (alert.description === AlertDescription.closeNotify) this.end('warning', 'closeNotify');
    else if (alert.level === AlertLevel.fatal) this.drop(true);
  }

  /** There is no renegotiation (RFC 5746 s4.5); a Finished again asks for ours again (RFC 6347 s4.2.4). */
  #receiveHandshake(data: Buffer): void {
    if (data[0] === HandshakeType.clientHello) {
      this.#write(ContentType.alert, encodeAlert('warning', 'noRenegotiation'));
    } else if (data[0] === HandshakeType.finished) {
      this.#connection.lastFlight?.peerRepeated();
    }
  }

  #write(type: number, data: Buffer): void {
    const { writer, inner } = this.#connection;
    let record: Buffer;
    try {
      record = writer.write(1, type, data);
    } catch (error) {
      // The record numbers are used up: the session cannot say anything any more, not even that.
      if (!(error instanceof TransportError)) throw error;
      return this.drop(true);
    }
    inner.send(record);
  }
}

function readAlert(data: Buffer): Alert | undefined {
  try {
    return decodeAlert(data);
  } catch (error) {
    if (error instanceof CodecError) return undefined;
    throw error;
  }
}
