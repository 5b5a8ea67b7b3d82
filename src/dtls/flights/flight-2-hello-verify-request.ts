import { encodeHandshakeMessage } from '../messages/handshake-fragment';
import { HandshakeType } from '../messages/handshake-type';
import { encodeHelloVerifyRequest } from '../messages/hello-verify-request';
import { ContentType, DTLS_1_0, encodePlainRecord } from '../record/record';

/**
 * Flight 2 (RFC 6347 s4.2.1): asks a client for a cookie and keeps nothing. The record number is that of the ClientHello, and
 * the message is the server's first. Shorter than any ClientHello, so that it is of no use against third parties.
 */
export function helloVerifyRequestFlight(recordSequence: number, cookie: Buffer): Buffer {
  const body = encodeHelloVerifyRequest({ version: DTLS_1_0, cookie });
  const message = encodeHandshakeMessage(HandshakeType.helloVerifyRequest, 0, body);
  return encodePlainRecord(ContentType.handshake, recordSequence, message, DTLS_1_0);
}
