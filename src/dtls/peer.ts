import type { Channel } from '../transport/transport';
import type { DtlsChannel } from './dtls-channel';
import type { Handshake } from './handshake';

/** What is kept of an address: the session that lives there and the handshake that may replace it (RFC 6347 s4.2.8). */
export interface Peer {
  channel: DtlsChannel | undefined;
  handshake: Handshake | undefined;
}

/** It hangs on the channel below, so that no map has to be searched. */
export function peerOf(inner: Channel): Peer | undefined {
  return inner.context as Peer | undefined;
}

export function makePeer(inner: Channel): Peer {
  const peer = peerOf(inner) ?? { channel: undefined, handshake: undefined };
  inner.context = peer;
  return peer;
}

/** Forgets a peer of whom nothing is left, and its address with it. */
export function tidyPeer(inner: Channel): void {
  const peer = peerOf(inner);
  if (peer === undefined || peer.channel !== undefined || peer.handshake !== undefined) return;
  inner.context = undefined;
  inner.transport.release(inner);
}
