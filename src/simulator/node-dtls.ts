/**
 * What we use of node-dtls-client 2.0, inner parts included, and its faults kept inside. Only `dtls-session.ts` comes here.
 */
import type { RemoteInfo, Socket } from 'node:dgram';
import type { PskCredentials } from './psk-security';
import { isFrom, type PeerAddress } from './server-address';

export interface NodeDtlsSocket {
  /** Bound by the library, to all addresses of the machine. */
  readonly udp: Socket;
  /** @throws {Error} the socket is closed. */
  send(data: Buffer, sent: (error: Error | null) => void): void;
  sendAlert(alert: { serialize(): Buffer }, sent: () => void): void;
  /** Closes the UDP socket without a word, at any time; does nothing when that was done. */
  killConnection(): void;
  on(event: 'connected', listener: () => void): void;
  on(event: 'message', listener: (data: Buffer) => void): void;
  /** The peer said close_notify. It is for us to close the socket. */
  on(event: 'closeNotify', listener: () => void): void;
  /** A fatal alert or an error of the UDP socket. The socket is closed. */
  on(event: 'error', listener: (error: Error) => void): void;
  off(event: string, listener: (error: Error) => void): void;
}

/** `warning` and `close_notify` (RFC 5246 s7.2.1). */
export const CLOSE_NOTIFY = { serialize: () => Buffer.of(1, 0) };

/** Those of RFC 7925 s4.2 and of LwM2M (Transport 1.1 s5.2.2). The library's own list begins with 3DES. */
const CIPHERS = ['TLS_PSK_WITH_AES_128_CCM_8', 'TLS_PSK_WITH_AES_128_CBC_SHA256'] as const;

/** The most that a timer can wait: we look at the time ourselves. */
const NEVER = 2 ** 31 - 1;

export type CreateNodeDtlsSocket = (
  peer: PeerAddress & { family: 4 | 6 },
  credentials: PskCredentials,
) => NodeDtlsSocket;

/** The library, which is an ES module and only loaded when a device wants it. */
export async function loadNodeDtls(): Promise<CreateNodeDtlsSocket> {
  const { dtls } = await import('node-dtls-client');
  return (peer, { identity, key }) => {
    const socket = dtls.createSocket({
      type: peer.family === 6 ? 'udp6' : 'udp4',
      address: peer.host,
      port: peer.port,
      // It writes one byte a character, so each character is to be one byte of the identity's UTF-8.
      psk: { [Buffer.from(identity).toString('latin1')]: key },
      ciphers: [...CIPHERS],
      timeout: NEVER,
    });
    // The library's own way to close throws, where nobody can catch it, when both sides do it at a time.
    socket.close = () => void socket.emit('closeNotify');
    const ours = socket as unknown as NodeDtlsSocket;
    guardArrivals(ours, peer);
    return ours;
  };
}

/** The library takes datagrams from everybody, and throws at malformed ones where nobody could catch it. */
function guardArrivals({ udp }: NodeDtlsSocket, peer: PeerAddress): void {
  const [receive] = udp.listeners('message') as ((datagram: Buffer, from: RemoteInfo) => void)[];
  if (receive === undefined) throw new Error('node-dtls-client no longer listens to its UDP socket itself');
  udp.removeAllListeners('message');
  udp.on('message', (datagram: Buffer, from: RemoteInfo) => {
    if (!isFrom(peer, from)) return;
    try {
      receive(datagram, from);
    } catch {
      // Records are dropped that cannot be read (RFC 6347 s4.1.2.7). Nothing of ours runs in there that could throw.
    }
  });
}
