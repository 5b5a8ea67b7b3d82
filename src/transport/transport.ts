import type { TransportError } from '../errors';

/** Where a peer is: an IP address literal and a UDP port. IPv4 peers of a dual-stack socket appear as plain IPv4. */
export interface PeerAddress {
  readonly host: string;
  readonly port: number;
}

/** Who a peer has proved to be. `nosec` proves nothing and has no name. */
export interface PeerIdentity {
  readonly mode: 'nosec' | 'psk' | 'rpk' | 'x509';
  readonly name?: string;
}

/** The scheme of a URI that a device reaches the server by. */
export type Scheme = 'coap' | 'coaps';

/**
 * One network peer as its transport sees it: for UDP an address, for DTLS a session.
 * A channel is an identity object: the same peer is the same channel until the transport says `closed`.
 */
export interface Channel {
  readonly scheme: Scheme;
  /** The transport that made it. */
  readonly transport: Transport;
  /** The peer's address now; with a DTLS connection id it may move (RFC 9146). */
  readonly address: PeerAddress;
  readonly identity: PeerIdentity;
  /** False once the peer cannot be reached by this channel any more: its DTLS session has ended. */
  readonly isOpen: boolean;
  /** Sends one datagram, best effort: a datagram that cannot be sent is lost like any other. */
  send(datagram: Buffer): void;
  /** A slot for the one layer above, so that it needs no map lookup for each datagram. */
  context: unknown;
}

/** What a transport tells the layer above. */
export interface TransportListener {
  /** One datagram. The buffer is the listener's to keep. */
  received(channel: Channel, datagram: Buffer): void;
  /** The channel is gone (a DTLS session ended, the transport closed). Never said of a channel that was released. */
  closed(channel: Channel): void;
  /** The socket itself is in trouble; the transport tries to go on. */
  failed(error: TransportError): void;
}

/** A way in for devices: a port, or DTLS over one. */
export interface Transport {
  readonly scheme: Scheme;
  /** The address listened on, once open. */
  readonly localAddress: PeerAddress | undefined;
  /**
   * Binds and starts to deliver.
   * @throws {TransportError} the port is taken or the address is not of this machine.
   */
  open(listener: TransportListener): Promise<void>;
  close(): Promise<void>;
  /** The channel to a peer; `undefined` where one cannot be made without the peer (DTLS without a session). */
  channel(address: PeerAddress): Channel | undefined;
  /**
   * The layer above has no more state for the channel: its memory may be reused. A DTLS session lives on.
   * A UDP peer heard again later may then come as a new channel object; `channel(released.address)` finds it.
   */
  release(channel: Channel): void;
}
