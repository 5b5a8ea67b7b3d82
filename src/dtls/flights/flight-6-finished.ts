import type { KeyObject } from 'node:crypto';
import type { FlightMessage, HandshakeContext } from '../handshake-context';
import { encodeFinished } from '../messages/finished';
import { HandshakeType } from '../messages/handshake-type';
import { verifyData } from '../prf';

/** Flight 6 (RFC 6347 s4.2.4, figure 1): kept to be sent again when the client repeats its Finished. */
export function finishedFlight(context: HandshakeContext, masterSecret: KeyObject): FlightMessage[] {
  return [context.changeCipherSpec(), serverFinished(context, masterSecret)];
}

export function serverFinished(context: HandshakeContext, masterSecret: KeyObject): FlightMessage {
  const verify = verifyData(masterSecret, 'server', context.transcript.hash());
  return context.message(HandshakeType.finished, encodeFinished({ verifyData: verify }), 1);
}
