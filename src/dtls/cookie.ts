import { createHmac, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto';
import type { PeerAddress } from '../transport/transport';
import type { Clock } from '../util/clock';
import { encodeUint16List } from './wire';
import type { ClientHello } from './messages/client-hello';

export const COOKIE_LENGTH = 16;
const ROTATION = 60_000;

/**
 * Stateless cookies (RFC 6347 s4.2.1): a MAC over the address and what must not change between the two hellos. The secret
 * changes each minute; the one before is still good, so that a cookie lives for one to two minutes.
 */
export class CookieJar {
  readonly #clock: Clock;
  readonly #random: (length: number) => Buffer;
  #generation = -1;
  #current: KeyObject;
  #previous: KeyObject;

  constructor(clock: Clock, random: (length: number) => Buffer) {
    this.#clock = clock;
    this.#random = random;
    this.#current = this.#previous = this.#newSecret();
    this.#rotate();
  }

  bake(address: PeerAddress, hello: ClientHello): Buffer {
    this.#rotate();
    return this.#cookie(this.#current, this.#generation, address, hello);
  }

  isGood(address: PeerAddress, hello: ClientHello): boolean {
    const { cookie } = hello;
    if (cookie.length !== COOKIE_LENGTH) return false;
    this.#rotate();
    // The lowest bit of the first byte says which of the two secrets it was, which saves a MAC.
    const isCurrent = (cookie.readUInt8(0) & 1) === (this.#generation & 1);
    const generation = isCurrent ? this.#generation : this.#generation - 1;
    const secret = isCurrent ? this.#current : this.#previous;
    return timingSafeEqual(this.#cookie(secret, generation, address, hello), cookie);
  }

  #cookie(secret: KeyObject, generation: number, address: PeerAddress, hello: ClientHello): Buffer {
    const mac = createHmac('sha256', secret)
      .update(
        `${address.host} ${address.port} ${hello.version} ${hello.sessionId.length} ${hello.cipherSuites.length} `,
      )
      .update(hello.random)
      .update(hello.sessionId)
      .update(encodeUint16List(hello.cipherSuites))
      .update(Buffer.from(hello.compressionMethods))
      .digest();
    mac.writeUInt8((mac.readUInt8(0) & 0xfe) | (generation & 1), 0);
    return mac.subarray(0, COOKIE_LENGTH);
  }

  #rotate(): void {
    const generation = Math.floor(this.#clock.monotonic() / ROTATION);
    if (generation === this.#generation) return;
    this.#previous = generation === this.#generation + 1 ? this.#current : this.#newSecret();
    this.#current = this.#newSecret();
    this.#generation = generation;
  }

  #newSecret(): KeyObject {
    return createSecretKey(this.#random(32));
  }
}
