import { CancelledError, TimeoutError, TransportError } from '../errors';
import type { Clock } from '../util/clock';
import { CLOSE_NOTIFY, loadNodeDtls, type NodeDtlsSocket } from './node-dtls';
import type { PskCredentials } from './psk-security';
import type { PeerAddress } from './server-address';

export interface DtlsSessionOptions {
  readonly peer: PeerAddress & { family: 4 | 6 };
  readonly credentials: PskCredentials;
  readonly clock: Clock;
  /** Of the handshake, ms. */
  readonly timeout: number;
  /** Ends the handshake, not the session. */
  readonly signal?: AbortSignal;
  readonly onDatagram: (datagram: Buffer) => void;
  /** The server, or the network, ended the session. */
  readonly onEnd: (error: TransportError) => void;
}

/** What servers say of a wrong key. Others take no notice of the Finished that was made with it (RFC 6347 s4.1.2.7). */
const WRONG_KEY_ALERT = /alert: (decrypt_error|bad_record_mac|unknown_psk_identity)$/;

/** An established DTLS session from a UDP port of its own. */
export class DtlsSession {
  readonly localAddress: PeerAddress;
  readonly #socket: NodeDtlsSocket;
  #ended = false;

  /**
   * One handshake. The library repeats no flight, so a datagram that is lost leads to a timeout; and so does a wrong key
   * with many servers.
   * @throws {TimeoutError} it was not finished in time.
   * @throws {TransportError} the server refused, or no UDP port could be opened.
   * @throws {CancelledError} `signal`
   */
  static async open(options: DtlsSessionOptions): Promise<DtlsSession> {
    const createSocket = await loadNodeDtls();
    let socket: NodeDtlsSocket;
    try {
      socket = createSocket(options.peer, options.credentials);
    } catch (cause) {
      throw new TransportError('the device could not open a UDP port', { cause });
    }
    socket.on('message', (datagram) => options.onDatagram(datagram));
    await handshake(socket, options);
    return new DtlsSession(socket, options.onEnd);
  }

  private constructor(socket: NodeDtlsSocket, onEnd: (error: TransportError) => void) {
    const { address, port } = socket.udp.address();
    this.localAddress = { host: address, port };
    this.#socket = socket;
    socket.on('error', (cause) => {
      if (this.#ended) return;
      this.#ended = true;
      onEnd(new TransportError(`the DTLS session ended: ${cause.message}`, { cause }));
    });
    socket.on('closeNotify', () => {
      if (this.#ended) return;
      void this.close();
      onEnd(new TransportError('the server ended the DTLS session'));
    });
  }

  send(datagram: Buffer, sent: (error: Error | null) => void): void {
    if (this.#ended) return sent(null);
    this.#socket.send(datagram, sent);
  }

  /** Says close_notify. */
  async close(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await new Promise<void>((resolve) => this.#socket.sendAlert(CLOSE_NOTIFY, resolve));
    this.#socket.killConnection();
  }

  /** Ends without a word, like a device whose power went off. */
  drop(): void {
    this.#ended = true;
    this.#socket.killConnection();
  }
}

/** Settles with the handshake; the socket is closed when that failed. */
function handshake(socket: NodeDtlsSocket, { clock, timeout, signal, credentials }: DtlsSessionOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = () => {
      timer.cancel();
      signal?.removeEventListener('abort', onAbort);
      socket.off('connected', onConnected);
      socket.off('error', onError);
      socket.off('closeNotify', onCloseNotify);
    };
    const fail = (error: Error) => {
      settle();
      socket.killConnection();
      reject(error);
    };
    const onConnected = () => {
      settle();
      resolve();
    };
    const onError = (cause: Error) => {
      const reason = WRONG_KEY_ALERT.test(cause.message) ? `${wrongKeyText(credentials)}: ` : '';
      fail(new TransportError(`the DTLS handshake failed: ${reason}${cause.message}`, { cause }));
    };
    const onCloseNotify = () => fail(new TransportError('the server ended the DTLS handshake'));
    const onAbort = () => fail(new CancelledError('the device went away'));
    const timer = clock.setTimer(() => fail(new TimeoutError('the DTLS handshake was not finished in time')), timeout);
    if (signal?.aborted) return onAbort();
    signal?.addEventListener('abort', onAbort);
    socket.on('connected', onConnected);
    socket.on('error', onError);
    socket.on('closeNotify', onCloseNotify);
  });
}

/** No server tells the one from the other, so that nobody can try out which identities there are. */
export function wrongKeyText({ identity }: PskCredentials): string {
  return `the server has no identity '${identity}' or another key for it`;
}
