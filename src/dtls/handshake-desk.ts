import { TransportError } from '../errors';
import type { Channel, PeerAddress, PeerIdentity } from '../transport/transport';
import { escapeForLog } from '../util/log';
import { Admission } from './admission';
import { AlertError, encodeAlert, type AlertName } from './alert';
import type { DtlsShared } from './dtls-shared';
import { Handshake, type HandshakeListener } from './handshake';
import { HandshakeContext, type HandshakeServices } from './handshake-context';
import type { ProvenHello } from './hello-gate';
import { negotiate, type Agreement } from './negotiation';
import { makePeer, peerOf, tidyPeer } from './peer';
import { ContentType, encodePlainRecord } from './record/record';
import { ServerIdentitySource, type ServerIdentity } from './server-identity';
import { SESSION_ID_LENGTH, unpackId } from './session-cache';

/** A peer that was not let in. */
export interface DtlsRefusal {
  readonly address: PeerAddress;
  /** Whom it claimed to be, as far as it got; not proved. The name is the peer's own text: escape it. */
  readonly identity: PeerIdentity | undefined;
  /** It may hold the peer's own text, too. */
  readonly reason: string;
  /** What it was told; `undefined`: nothing, it went away or is no DTLS client. */
  readonly alert: AlertName | undefined;
}

const MAX_QUESTIONS = 4;
const MAX_REASON_LENGTH = 300;
/** ms; two repetitions of a flight (RFC 6347 s4.2.4.1) fit in. */
const MIN_AGE_TO_GIVE_WAY = 4_000;

/** Starts handshakes and sees to it that each ends and is no longer counted. */
export class HandshakeDesk implements HandshakeListener {
  readonly admission: Admission;
  readonly #shared: DtlsShared;
  readonly #established: (handshake: Handshake) => void;
  readonly #refused: (refusal: DtlsRefusal) => void;
  readonly #handshakes = new Set<Handshake>();
  readonly #serverIdentity = new ServerIdentitySource();
  #cutOffs = 0;

  constructor(
    shared: DtlsShared,
    established: (handshake: Handshake) => void,
    refused: (refusal: DtlsRefusal) => void,
  ) {
    this.#shared = shared;
    this.#established = established;
    this.#refused = refused;
    this.admission = new Admission(shared.limits.handshakes, shared.limits.handshakesPerNetwork);
  }

  /** A ClientHello with a good cookie: answers it, unless there is no room or nothing to agree on. */
  begin(inner: Channel, proven: ProvenHello, recordSequence: number): void {
    if (!this.#hasRoom(inner)) {
      this.#shared.statistics.handshakesRefused += 1;
      return;
    }
    const serverIdentity = this.#usableIdentity();
    let agreement: Agreement;
    try {
      agreement = negotiate(proven.hello, {
        suites: this.#shared.suites,
        serverIdentity,
        credentials: this.#shared.credentials,
        sessions: this.#shared.resumable,
        now: this.#shared.clock.monotonic(),
      });
    } catch (error) {
      if (!(error instanceof AlertError)) throw error;
      inner.send(encodePlainRecord(ContentType.alert, recordSequence, encodeAlert('fatal', error.alert)));
      return this.#countFailure(inner, undefined, error);
    }
    this.#start(inner, proven, recordSequence, agreement, this.#services(serverIdentity));
  }

  /** @throws {InvalidArgumentError} the server's key and certificate cannot be used. */
  checkCredentials(): void {
    this.#serverIdentity.get(this.#shared.credentials);
  }

  /** Bytes kept for messages that wait for others. */
  get pendingBytes(): number {
    let bytes = 0;
    for (const handshake of this.#handshakes) bytes += handshake.pendingBytes;
    return bytes;
  }

  /** Ends the handshakes of an identity, and makes those ask again that are asking whose they are. */
  cutOff(isCutOff: (identity: PeerIdentity) => boolean): void {
    this.#cutOffs += 1;
    for (const handshake of this.#handshakes) {
      const { identity } = handshake.context;
      if (identity !== undefined && isCutOff(identity)) this.cancel(handshake, true);
    }
  }

  /** Ends a handshake that makes room for another, or whose identity was cut off. */
  cancel(handshake: Handshake, tell = false): void {
    try {
      handshake.abort(tell ? 'accessDenied' : undefined);
    } finally {
      this.#release(handshake);
    }
  }

  cancelAll(): void {
    for (const handshake of this.#handshakes) this.cancel(handshake);
  }

  connected(handshake: Handshake): void {
    const { statistics } = this.#shared;
    statistics.handshakesCompleted += 1;
    if (handshake.context.agreement.resumed !== undefined) statistics.handshakesResumed += 1;
    try {
      this.#established(handshake);
    } finally {
      this.#release(handshake);
    }
  }

  failed(handshake: Handshake, reason: Error): void {
    try {
      this.#countFailure(handshake.inner, handshake.context.identity, reason);
    } finally {
      this.#release(handshake);
    }
  }

  /** A peer that has a session already takes no more room. */
  #hasRoom(inner: Channel): boolean {
    const { host } = inner.address;
    const mayHaveSession = peerOf(inner)?.channel !== undefined || this.#shared.sessions.admission.hasRoom(host);
    if (!mayHaveSession || !this.admission.networkHasRoom(host)) return false;
    return !this.admission.isFull || this.#makeRoom(inner);
  }

  /**
   * The oldest handshake gives way once it had time enough: an attacker with many networks would otherwise keep all others
   * out with a few dozen ClientHellos a second. The set is in the order of their starts.
   */
  #makeRoom(inner: Channel): boolean {
    // One that starts anew takes the place of its own handshake, which ends when the new one has begun.
    if (peerOf(inner)?.handshake !== undefined) return true;
    const [oldest] = this.#handshakes;
    if (oldest === undefined || this.#shared.clock.monotonic() - oldest.startedAt < MIN_AGE_TO_GIVE_WAY) return false;
    oldest.abort();
    this.failed(oldest, new TransportError('the handshake gave way to a newer one'));
    return true;
  }

  #start(
    inner: Channel,
    { hello, message }: ProvenHello,
    recordSequence: number,
    agreement: Agreement,
    services: HandshakeServices,
  ): void {
    const { connectionIds, clock, wheel, limits, mtu, statistics } = this.#shared;
    const serial = agreement.clientConnectionId === undefined ? undefined : connectionIds.allocate();
    const own = {
      messageSeq: message.messageSeq,
      sessionId: this.#sessionId(agreement),
      connectionId: serial === undefined ? undefined : connectionIds.encode(serial),
    };
    const context = new HandshakeContext(services, hello, agreement, own);
    const options = {
      context,
      serial,
      inner,
      clock,
      wheel,
      limits,
      mtu,
      statistics,
      listener: this,
      recordSequence,
      hello: message,
    };
    const handshake = new Handshake(options);
    this.admission.take(inner.address.host);
    this.#handshakes.add(handshake);
    if (serial !== undefined) connectionIds.assign(serial, handshake);
    makePeer(inner).handshake = handshake;
    statistics.handshakesStarted += 1;
    statistics.handshakes = this.admission.count;
    handshake.start();
  }

  /** Only a session with an extended master secret may be resumed (RFC 7627 s5.4). */
  #sessionId(agreement: Agreement): Buffer {
    if (agreement.resumed !== undefined) return unpackId(agreement.resumed.id);
    const isResumable = agreement.extendedMasterSecret && this.#shared.limits.resumableSessions > 0;
    return isResumable ? this.#shared.random(SESSION_ID_LENGTH) : Buffer.alloc(0);
  }

  #services(serverIdentity: ServerIdentity | undefined): HandshakeServices {
    const { credentials, clock, random } = this.#shared;
    return {
      credentials,
      serverIdentity,
      now: () => clock.now(),
      random,
      ask: (question, take) => this.#ask(question, take),
    };
  }

  async #ask<T, R>(question: () => Promise<T>, take: (answer: T) => R): Promise<R> {
    for (let asked = 0; asked < MAX_QUESTIONS; asked++) {
      const cutOffs = this.#cutOffs;
      const answer = await question();
      if (cutOffs === this.#cutOffs) return take(answer);
    }
    throw new AlertError('internalError', 'the credentials change too fast');
  }

  /** A key that became unusable while the server runs must not stop the devices that do without it. */
  #usableIdentity(): ServerIdentity | undefined {
    try {
      return this.#serverIdentity.get(this.#shared.credentials);
    } catch (error) {
      this.#shared.log.error(`coaps goes on without certificates: ${escapeForLog(String(error), MAX_REASON_LENGTH)}`);
      return undefined;
    }
  }

  #countFailure(inner: Channel, identity: PeerIdentity | undefined, reason: Error): void {
    const { address } = inner;
    this.#shared.statistics.handshakesFailed += 1;
    const name = identity?.name === undefined ? '' : ` as '${escapeForLog(identity.name)}'`;
    // The credentials may have put the peer's text into their error.
    const why = escapeForLog(reason.message, MAX_REASON_LENGTH);
    this.#shared.log.info(`handshake with ${address.host} port ${address.port}${name} failed: ${why}`);
    const alert = reason instanceof AlertError ? reason.alert : undefined;
    this.#refused({ address, identity, reason: reason.message, alert });
  }

  #release(handshake: Handshake): void {
    if (!this.#handshakes.delete(handshake)) return;
    const { inner } = handshake;
    this.admission.release(inner.address.host);
    this.#shared.statistics.handshakes = this.admission.count;
    if (handshake.serial !== undefined) this.#shared.connectionIds.free(handshake.serial, handshake);
    const peer = peerOf(inner);
    if (peer?.handshake === handshake) peer.handshake = undefined;
    tidyPeer(inner);
  }
}
