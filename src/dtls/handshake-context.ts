import type { ECDH, KeyObject } from 'node:crypto';
import type { PeerIdentity } from '../transport/transport';
import type { DtlsCredentials } from './dtls-credentials';
import type { Certificate } from './messages/certificate';
import type { ClientHello } from './messages/client-hello';
import { encodeHandshakeMessage } from './messages/handshake-fragment';
import type { Agreement } from './negotiation';
import type { RecordCipher } from './record/record-cipher';
import { ContentType } from './record/record';
import type { AssembledMessage } from './message-assembler';
import { encodeChangeCipherSpec } from './messages/change-cipher-spec';
import type { ServerIdentity } from './server-identity';
import { Transcript } from './transcript';

/** One message of a flight; its record numbers are given when it is sent, and anew each time. */
export interface FlightMessage {
  readonly epoch: 0 | 1;
  readonly contentType: number;
  /** Of handshake messages only. */
  readonly handshake: { readonly type: number; readonly messageSeq: number } | undefined;
  readonly body: Buffer;
}

/** What the flights need from outside. */
export interface HandshakeServices {
  readonly credentials: DtlsCredentials;
  readonly serverIdentity: ServerIdentity | undefined;
  /** ms since 1970, for the dates of certificates. */
  now(): number;
  random(length: number): Buffer;
  /**
   * Asks the credentials; asks again when an identity was cut off meanwhile, whose answer may be of before. `take` gets the
   * answer at once: what it notes down is there before the next identity can be cut off.
   */
  ask<T, R>(question: () => Promise<T>, take: (answer: T) => R): Promise<R>;
}

/** All that one handshake knows; the flights read and fill it. */
export class HandshakeContext {
  readonly services: HandshakeServices;
  readonly hello: ClientHello;
  readonly agreement: Agreement;
  readonly serverRandom: Buffer;
  /** Empty: this session cannot be resumed. */
  readonly sessionId: Buffer;
  /** The connection id that the client shall put into its records. */
  readonly ownConnectionId: Buffer | undefined;
  readonly transcript = new Transcript();
  ecdh: ECDH | undefined;
  masterSecret: KeyObject | undefined;
  cipher: RecordCipher | undefined;
  clientCertificate: Certificate | undefined;
  clientPublicKey: KeyObject | undefined;
  /** Whom the client claims to be; proved only once its Finished is verified. */
  identity: PeerIdentity | undefined;
  #nextMessageSeq: number;

  constructor(
    services: HandshakeServices,
    hello: ClientHello,
    agreement: Agreement,
    own: { messageSeq: number; sessionId: Buffer; connectionId: Buffer | undefined },
  ) {
    this.services = services;
    this.hello = hello;
    this.agreement = agreement;
    this.serverRandom = services.random(32);
    this.sessionId = own.sessionId;
    this.ownConnectionId = own.connectionId;
    this.#nextMessageSeq = own.messageSeq;
  }

  /** A message of ours: numbered and entered into the transcript. */
  message(type: number, body: Buffer, epoch: 0 | 1 = 0): FlightMessage {
    const messageSeq = this.#nextMessageSeq++;
    this.transcript.add(encodeHandshakeMessage(type, messageSeq, body));
    return { epoch, contentType: ContentType.handshake, handshake: { type, messageSeq }, body };
  }

  changeCipherSpec(): FlightMessage {
    return {
      epoch: 0,
      contentType: ContentType.changeCipherSpec,
      handshake: undefined,
      body: encodeChangeCipherSpec(),
    };
  }

  /** Enters a message of the client into the transcript. */
  enter({ type, messageSeq, body }: AssembledMessage): void {
    this.transcript.add(encodeHandshakeMessage(type, messageSeq, body));
  }
}
