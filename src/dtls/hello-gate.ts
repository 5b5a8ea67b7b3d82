import { CodecError } from '../errors';
import type { Channel, PeerAddress } from '../transport/transport';
import type { Clock } from '../util/clock';
import { CookieJar } from './cookie';
import { helloVerifyRequestFlight } from './flights/flight-2-hello-verify-request';
import { HelloAssembler } from './hello-assembler';
import type { AssembledMessage } from './message-assembler';
import { decodeClientHello, type ClientHello } from './messages/client-hello';
import type { HandshakeFragment } from './messages/handshake-fragment';
import { HandshakeType } from './messages/handshake-type';

/** A ClientHello whose sender receives at its address. */
export interface ProvenHello {
  readonly hello: ClientHello;
  /** As it came, for the transcript. */
  readonly message: AssembledMessage;
}

/** More HelloVerifyRequests than this before one hello are nobody's need. */
const MAX_MESSAGE_SEQ = 255;
/** Our records go on from that of the ClientHello, so a peer must not be able to bring us to the end of the numbers. */
const MAX_RECORD_SEQUENCE = 2 ** 32;

/**
 * Lets in only ClientHellos with a good cookie (RFC 6347 s4.2.1), and asks all others for one. Until then nothing is kept of a
 * peer, so that forged addresses cost nothing (the bounded store of fragmented hellos apart).
 */
export class HelloGate {
  readonly #cookies: CookieJar;
  readonly #assembler: HelloAssembler;

  constructor(clock: Clock, random: (length: number) => Buffer) {
    this.#cookies = new CookieJar(clock, random);
    this.#assembler = new HelloAssembler(clock);
  }

  /**
   * @param asked called when a cookie was asked for.
   * @throws {CodecError} not a ClientHello.
   */
  receive(inner: Channel, sequence: number, fragment: HandshakeFragment, asked: () => void): ProvenHello | undefined {
    if (fragment.messageSeq > MAX_MESSAGE_SEQ || sequence > MAX_RECORD_SEQUENCE) {
      throw new CodecError('a ClientHello has numbers out of all reason');
    }
    const body = this.#assembler.add(inner.address, fragment);
    if (body === undefined) return undefined;
    const hello = decodeClientHello(body);
    if (this.#isProven(inner.address, hello)) {
      // A copy: the handshake keeps the hello, and must not keep the whole datagram with it.
      const kept = Buffer.from(body);
      const message = { type: HandshakeType.clientHello, messageSeq: fragment.messageSeq, body: kept };
      return { hello: decodeClientHello(kept), message };
    }
    inner.send(helloVerifyRequestFlight(sequence, this.#cookies.bake(inner.address, hello)));
    asked();
    return undefined;
  }

  clear(): void {
    this.#assembler.clear();
  }

  #isProven(address: PeerAddress, hello: ClientHello): boolean {
    return hello.cookie.length > 0 && this.#cookies.isGood(address, hello);
  }
}
