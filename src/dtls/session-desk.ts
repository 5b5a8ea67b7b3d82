import type { Channel, Transport, TransportListener } from '../transport/transport';
import { DtlsChannel, type ChannelOwner, type Connection } from './dtls-channel';
import type { DtlsShared } from './dtls-shared';
import type { DtlsStatistics } from './dtls-statistics';
import type { Handshake } from './handshake';
import type { ClientHello } from './messages/client-hello';
import { makePeer, peerOf, tidyPeer } from './peer';
import { packId, packSecret, type ResumableSession } from './session-cache';

const SWEEP_INTERVAL = 60_000;
/** How long flight 6 is kept for a peer that does not have it (RFC 6347 s4.2.4: twice the maximum segment lifetime). */
const LAST_FLIGHT_LIFETIME = 240_000;

/** Makes sessions of finished handshakes, and keeps the books of them: where each lives, who it is, when it ends. */
export class SessionDesk implements ChannelOwner {
  readonly transport: Transport;
  readonly statistics: DtlsStatistics;
  /** The layer above, while the transport is open. */
  listener: TransportListener | undefined;
  readonly #shared: DtlsShared;
  #isSweeping = false;

  constructor(shared: DtlsShared, transport: Transport) {
    this.#shared = shared;
    this.transport = transport;
    this.statistics = shared.statistics;
  }

  now(): number {
    return this.#shared.clock.monotonic();
  }

  received(channel: DtlsChannel, datagram: Buffer): void {
    channel.isKnown = true;
    this.listener?.received(channel, datagram);
  }

  /** The client's Finished is verified: now, and not before, the session takes the place of older ones. */
  established(handshake: Handshake): void {
    const { inner, context } = handshake;
    const { resumed } = context.agreement;
    const connection = connectionOf(handshake);
    const channel = resumed?.channel ?? this.#newChannel(handshake, connection);
    if (resumed?.channel !== undefined) this.#moveOn(channel, connection);
    if (connection.serial !== undefined) this.#shared.connectionIds.assign(connection.serial, channel);
    this.#settle(inner, channel);
    this.#sweepLater();
    const early = handshake.takeEarly();
    for (const data of early.data) channel.deliverEarly(data);
    for (const record of early.records) channel.receive(record, inner);
  }

  #newChannel(handshake: Handshake, connection: Connection): DtlsChannel {
    const { sessions, statistics, resumable } = this.#shared;
    const session = this.#resumableSession(handshake);
    const { identity } = handshake.context;
    if (identity === undefined) throw new Error('a handshake is connected with nobody');
    const channel = new DtlsChannel(this, identity, connection, session);
    if (session !== undefined) {
      session.channel = channel;
      // One that was resumed may have been taken out meanwhile, by a fatal alert: it stays out.
      if (handshake.context.agreement.resumed === undefined) resumable.put(session);
    }
    for (const old of sessions.add(channel)) {
      if (old.address === channel.address) old.drop(true);
      else old.end('warning', 'closeNotify', true);
    }
    statistics.sessions = sessions.admission.count;
    return channel;
  }

  /** A session that was resumed has the same id and goes on under it. */
  #resumableSession({ context }: Handshake): ResumableSession | undefined {
    const { agreement, masterSecret, sessionId, identity } = context;
    if (agreement.resumed !== undefined) return agreement.resumed;
    if (sessionId.length === 0 || masterSecret === undefined || identity === undefined) return undefined;
    const deadline = this.#shared.clock.monotonic() + this.#shared.limits.resumptionLifetime;
    return {
      id: packId(sessionId),
      masterSecret: packSecret(masterSecret),
      suite: agreement.suite,
      identity,
      deadline,
      channel: undefined,
    };
  }

  /** The channel of a resumed session goes on with new keys. */
  #moveOn(channel: DtlsChannel, connection: Connection): void {
    const old = channel.connection;
    if (old.serial !== undefined) this.#shared.connectionIds.free(old.serial, channel);
    this.#shared.sessions.move(channel, connection.inner.address);
    if (old.inner !== connection.inner) this.#leave(old.inner, channel);
    channel.continueOn(connection);
  }

  /** The address belongs to this session from now on. One with a connection id may live on elsewhere. */
  #settle(inner: Channel, channel: DtlsChannel): void {
    const peer = makePeer(inner);
    const old = peer.channel;
    peer.channel = channel;
    if (old !== undefined && old !== channel && old.connection.serial === undefined) old.drop(false);
  }

  #leave(inner: Channel, channel: DtlsChannel): void {
    const peer = peerOf(inner);
    if (peer?.channel === channel) peer.channel = undefined;
    tidyPeer(inner);
  }

  /**
   * RFC 9146 s6. That the peer receives at its new address is not proved; what goes there before the peer is heard again is
   * bounded by CoAP (RFC 7252 s4.7). A session that lives there without a connection id keeps the address.
   */
  moved(channel: DtlsChannel, to: Channel): void {
    const from = channel.connection.inner;
    this.#shared.statistics.addressesMoved += 1;
    this.#shared.sessions.move(channel, to.address);
    channel.connection.inner = to;
    this.#leave(from, channel);
    const peer = makePeer(to);
    peer.channel ??= channel;
  }

  ended(channel: DtlsChannel, isFatal: boolean): void {
    const { sessions, resumable, connectionIds, statistics } = this.#shared;
    const { inner, serial } = channel.connection;
    sessions.remove(channel);
    statistics.sessions = sessions.admission.count;
    if (serial !== undefined) connectionIds.free(serial, channel);
    if (channel.resumable !== undefined) {
      channel.resumable.channel = undefined;
      if (isFatal) resumable.remove(channel.resumable);
    }
    this.#leave(inner, channel);
    if (!channel.isKnown) return;
    channel.isKnown = false;
    this.listener?.closed(channel);
  }

  /** Now and then, as long as there is something to look through. */
  #sweepLater(): void {
    if (this.#isSweeping) return;
    this.#isSweeping = true;
    this.#shared.wheel.schedule(SWEEP_INTERVAL, () => {
      this.#isSweeping = false;
      this.#sweep();
    });
  }

  #sweep(): void {
    const { sessions, resumable, clock, limits } = this.#shared;
    const now = clock.monotonic();
    resumable.removeExpired(now);
    for (const channel of sessions.all()) {
      const silence = now - channel.lastHeard;
      if (silence >= LAST_FLIGHT_LIFETIME) channel.forgetLastFlight();
      if (silence >= limits.idleTimeout) channel.drop(false);
    }
    if (sessions.admission.count > 0 || resumable.size > 0) this.#sweepLater();
  }
}

function connectionOf({ inner, serial, reader, writer, transmitter, context }: Handshake): Connection {
  if (reader === undefined) throw new Error('a handshake is connected without keys');
  const { agreement, hello } = context;
  return {
    inner,
    reader,
    writer,
    serial,
    maxPlaintextLength: agreement.maxPlaintextLength,
    helloTag: helloTag(hello),
    lastFlight: agreement.resumed === undefined ? transmitter : undefined,
  };
}

/** 48 bits that tell one ClientHello from another. */
export function helloTag({ random }: ClientHello): number {
  // The first four bytes may be a time (RFC 5246 s7.4.1.2), the last ones are random.
  return random.readUIntBE(random.length - 6, 6);
}
