import type { FlightMessage, HandshakeContext } from '../handshake-context';
import { deriveCipher } from './derive-cipher';
import { serverFinished } from './flight-6-finished';
import { serverHello } from './flight-4-server-hello';
import type { RecordCipher } from '../record/record-cipher';
import { unpackSecret, type ResumableSession } from '../session-cache';

/** Flight 4 of a resumption (RFC 6347 s4.2.4, figure 2): the old master secret and new randoms make new keys. */
export function resumptionFlight(
  context: HandshakeContext,
  session: ResumableSession,
): { cipher: RecordCipher; flight: FlightMessage[] } {
  const hello = serverHello(context);
  const masterSecret = unpackSecret(session.masterSecret);
  context.masterSecret = masterSecret;
  context.identity = session.identity;
  const cipher = deriveCipher(context, masterSecret);
  return { cipher, flight: [hello, context.changeCipherSpec(), serverFinished(context, masterSecret)] };
}
