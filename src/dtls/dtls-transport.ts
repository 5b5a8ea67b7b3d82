import { randomBytes } from 'node:crypto';
import { CodecError, type TransportError } from '../errors';
import type { Channel, PeerAddress, PeerIdentity, Transport, TransportListener } from '../transport/transport';
import type { Clock } from '../util/clock';
import { rateLimited, silentLog, type Log } from '../util/log';
import { TimerWheel } from '../util/timer-wheel';
import { cipherSuites, DEFAULT_CIPHER_SUITES, type CipherSuiteName } from './cipher-suites/cipher-suite';
import { CONNECTION_ID_LENGTH, ConnectionIds } from './connection-ids';
import { DtlsChannel } from './dtls-channel';
import type { DtlsCredentials } from './dtls-credentials';
import { DEFAULT_LIMITS, type DtlsLimits } from './dtls-limits';
import type { DtlsShared } from './dtls-shared';
import { newStatistics, type DtlsStatistics } from './dtls-statistics';
import { HandshakeDesk, type DtlsRefusal } from './handshake-desk';
import { HelloGate } from './hello-gate';
import { decodeChangeCipherSpec } from './messages/change-cipher-spec';
import { decodeHandshakeFragments, type HandshakeFragment } from './messages/handshake-fragment';
import { HandshakeType } from './messages/handshake-type';
import { peerOf } from './peer';
import { ContentType, readRecord, type DtlsRecord } from './record/record';
import { SessionCache } from './session-cache';
import { helloTag, SessionDesk } from './session-desk';
import { SessionTable } from './session-table';

export interface DtlsOptions {
  readonly clock: Clock;
  readonly credentials: DtlsCredentials;
  /** This server's number among those that share an address, 0 to 65535: it is in every connection id. */
  readonly instance: number;
  /** Default: `DEFAULT_CIPHER_SUITES`, without CBC. The order has no meaning. */
  readonly cipherSuites?: readonly CipherSuiteName[];
  readonly limits?: Partial<DtlsLimits>;
  readonly log?: Log;
  /** The longest datagram of a handshake, bytes; default 1232, what fits the smallest IPv6 packet. */
  readonly mtu?: number;
  /** Unpredictable bytes; only tests have a reason to give it. */
  readonly random?: (length: number) => Buffer;
  /** Told of each peer that was not let in. */
  readonly refused?: (refusal: DtlsRefusal) => void;
}

const DEFAULT_MTU = 1280 - 48;
const MIN_MTU = 128;
/** A datagram with more records than this is not of a device. */
const MAX_RECORDS = 32;
const LOG_LINES_PER_MINUTE = 60;

/**
 * A DTLS 1.2 server (RFC 6347, RFC 7925) as a transport over another: what is below carries records, what is above sees a
 * channel for each session, with the identity that the peer proved.
 */
export class DtlsTransport implements Transport {
  readonly scheme = 'coaps';
  readonly #inner: Transport;
  readonly #shared: DtlsShared;
  readonly #handshakes: HandshakeDesk;
  readonly #gate: HelloGate;
  readonly #sessions: SessionDesk;

  /** @throws {InvalidArgumentError} the instance's number is out of range. */
  constructor(inner: Transport, options: DtlsOptions) {
    const { clock, credentials, random = randomBytes } = options;
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#inner = inner;
    this.#shared = {
      clock,
      wheel: new TimerWheel(clock),
      credentials,
      suites: cipherSuites(options.cipherSuites ?? DEFAULT_CIPHER_SUITES),
      limits,
      mtu: Math.max(MIN_MTU, options.mtu ?? DEFAULT_MTU),
      random,
      log: rateLimited(options.log ?? silentLog, clock, LOG_LINES_PER_MINUTE),
      statistics: newStatistics(),
      sessions: new SessionTable(limits.sessions, limits.sessionsPerNetwork, limits.sessionsPerIdentity),
      resumable: new SessionCache(limits.resumableSessions),
      connectionIds: new ConnectionIds(options.instance, random),
    };
    const refused = options.refused ?? (() => undefined);
    this.#sessions = new SessionDesk(this.#shared, this);
    this.#handshakes = new HandshakeDesk(this.#shared, (handshake) => this.#sessions.established(handshake), refused);
    this.#gate = new HelloGate(clock, random);
  }

  get localAddress(): PeerAddress | undefined {
    return this.#inner.localAddress;
  }

  /** Counters, live. */
  get statistics(): Readonly<DtlsStatistics> {
    return this.#shared.statistics;
  }

  /** Bytes that unfinished handshakes keep of messages and records that came out of order. */
  get pendingBytes(): number {
    return this.#handshakes.pendingBytes;
  }

  /** @throws {InvalidArgumentError} the server's key and certificate cannot be used. */
  async open(listener: TransportListener): Promise<void> {
    this.#handshakes.checkCredentials();
    this.#sessions.listener = listener;
    await this.#inner.open({
      received: (inner, datagram) => this.#received(inner, datagram),
      closed: (inner) => this.#innerClosed(inner),
      failed: (error: TransportError) => listener.failed(error),
    });
  }

  /** Says close_notify to all peers. */
  async close(): Promise<void> {
    this.#handshakes.cancelAll();
    for (const channel of this.#shared.sessions.all()) channel.end('warning', 'closeNotify');
    this.#gate.clear();
    this.#shared.resumable.clear();
    this.#shared.wheel.close();
    await this.#inner.close();
    this.#sessions.listener = undefined;
  }

  channel(address: PeerAddress): DtlsChannel | undefined {
    const inner = this.#inner.channel(address);
    if (inner === undefined) return undefined;
    const channel = peerOf(inner)?.channel;
    if (inner.context === undefined) this.#inner.release(inner);
    if (channel !== undefined) channel.isKnown = true;
    return channel;
  }

  release(channel: Channel): void {
    channel.context = undefined;
    if (channel instanceof DtlsChannel) channel.isKnown = false;
  }

  /**
   * Ends all sessions and handshakes of an identity at once, with the alert `access_denied`, and lets none of its sessions be
   * resumed. Call it after its credentials were removed or changed.
   * @returns how many sessions were ended.
   */
  cutOff(identity: PeerIdentity): number {
    const isCutOff = ({ mode, name }: PeerIdentity) => mode === identity.mode && name === identity.name;
    this.#shared.resumable.removeIdentity(isCutOff);
    this.#handshakes.cutOff(isCutOff);
    const channels = [...this.#shared.sessions.of(identity)];
    for (const channel of channels) channel.end('fatal', 'accessDenied');
    return channels.length;
  }

  #received(inner: Channel, datagram: Buffer): void {
    let offset = 0;
    for (let count = 0; offset < datagram.length && count < MAX_RECORDS; count++) {
      const record = readRecord(datagram, offset, CONNECTION_ID_LENGTH);
      if (record === undefined) {
        this.#shared.statistics.recordsMalformed += 1;
        break;
      }
      offset = record.end;
      if (record.cid !== undefined) this.#receiveByConnectionId(inner, record, record.cid);
      else if (record.epoch === 0) this.#receivePlain(inner, record);
      else this.#receiveSealed(inner, record);
    }
    // Of a peer that has proved nothing not even the address is kept.
    if (inner.context === undefined) this.#inner.release(inner);
  }

  #receiveByConnectionId(inner: Channel, record: DtlsRecord, cid: Buffer): void {
    const owner = this.#shared.connectionIds.find(cid);
    if (owner instanceof DtlsChannel) owner.receive(record, inner);
    else if (owner !== undefined && owner.inner === inner) owner.receiveSealed(record);
    else this.#shared.statistics.recordsUnknown += 1;
  }

  /** Both an old session and a handshake to replace it may live at an address (RFC 6347 s4.2.8). */
  #receiveSealed(inner: Channel, record: DtlsRecord): void {
    const peer = peerOf(inner);
    if (peer?.channel?.receive(record, inner) === true) return;
    if (peer?.handshake !== undefined) peer.handshake.receiveSealed(record);
    else if (peer?.channel === undefined) this.#shared.statistics.recordsUnknown += 1;
  }

  /** Anybody may have sent it: alerts mean nothing, and a session is never touched. */
  #receivePlain(inner: Channel, record: DtlsRecord): void {
    try {
      if (record.type === ContentType.handshake) {
        this.#receivePlainHandshake(inner, record, decodeHandshakeFragments(record.fragment));
      } else if (record.type === ContentType.changeCipherSpec) {
        decodeChangeCipherSpec(record.fragment);
        peerOf(inner)?.handshake?.receiveChangeCipherSpec();
      }
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      this.#shared.statistics.recordsMalformed += 1;
    }
  }

  #receivePlainHandshake(inner: Channel, record: DtlsRecord, fragments: readonly HandshakeFragment[]): void {
    const [first] = fragments;
    if (first?.type === HandshakeType.clientHello) this.#receiveHello(inner, record.sequence, first);
    else peerOf(inner)?.handshake?.receivePlain(fragments);
  }

  #receiveHello(inner: Channel, sequence: number, fragment: HandshakeFragment): void {
    const { statistics } = this.#shared;
    const proven = this.#gate.receive(inner, sequence, fragment, () => (statistics.cookiesAsked += 1));
    if (proven === undefined) return;
    const peer = peerOf(inner);
    // A copy that the network held back must not start anything.
    if (peer?.channel?.connection.helloTag === helloTag(proven.hello)) return;
    if (peer?.handshake?.isRepeated(proven.hello.random) === true) {
      peer.handshake.transmitter.peerRepeated();
      return;
    }
    const old = peer?.handshake;
    this.#handshakes.begin(inner, proven, sequence);
    if (old !== undefined && peer?.handshake !== old) this.#handshakes.cancel(old);
  }

  #innerClosed(inner: Channel): void {
    const peer = peerOf(inner);
    if (peer?.handshake !== undefined) this.#handshakes.cancel(peer.handshake);
    peer?.channel?.drop(false);
  }
}
