/** What the server may receive in a handshake. */
export type ClientMessage =
  'ClientHello' | 'Certificate' | 'ClientKeyExchange' | 'CertificateVerify' | 'ChangeCipherSpec' | 'Finished';

/** The server waits for the message of that name; `connected` waits for nothing. */
export type HandshakeState =
  | 'client-hello'
  | 'certificate'
  | 'client-key-exchange'
  | 'certificate-verify'
  | 'change-cipher-spec'
  | 'finished'
  | 'connected';

/** Which handshake it is; the ClientHello decides. */
export type HandshakeKind = 'psk' | 'certificate' | 'resumption';

export interface Transition {
  readonly from: HandshakeState;
  readonly on: ClientMessage;
  readonly to: HandshakeState;
  readonly kinds: readonly HandshakeKind[];
}

const PSK = ['psk'] as const;
const CERTIFICATE = ['certificate'] as const;
const RESUMPTION = ['resumption'] as const;
const ALL = ['psk', 'certificate', 'resumption'] as const;

/**
 * The server's half of RFC 6347 s4.2.4, figures 1 and 2, from the ClientHello with a good cookie on, where a client that has
 * no pre-shared key must prove itself: Certificate and CertificateVerify are not optional.
 *
 *     figure 1, PSK             figure 1, certificates       figure 2
 *     ClientHello          ->   ClientHello             ->   ClientHello          ->
 *                 <- flight 4                <- flight 4                <- flight 4
 *                               Certificate             ->
 *     ClientKeyExchange    ->   ClientKeyExchange       ->
 *                               CertificateVerify       ->
 *     ChangeCipherSpec     ->   ChangeCipherSpec        ->   ChangeCipherSpec     ->
 *     Finished             ->   Finished                ->   Finished             ->
 *                 <- flight 6                <- flight 6
 *
 * There is no other way to `connected`: what has no row is answered with `unexpected_message`.
 */
export const TRANSITIONS: readonly Transition[] = [
  { from: 'client-hello', on: 'ClientHello', to: 'client-key-exchange', kinds: PSK },
  { from: 'client-hello', on: 'ClientHello', to: 'certificate', kinds: CERTIFICATE },
  { from: 'client-hello', on: 'ClientHello', to: 'change-cipher-spec', kinds: RESUMPTION },
  { from: 'certificate', on: 'Certificate', to: 'client-key-exchange', kinds: CERTIFICATE },
  { from: 'client-key-exchange', on: 'ClientKeyExchange', to: 'change-cipher-spec', kinds: PSK },
  { from: 'client-key-exchange', on: 'ClientKeyExchange', to: 'certificate-verify', kinds: CERTIFICATE },
  { from: 'certificate-verify', on: 'CertificateVerify', to: 'change-cipher-spec', kinds: CERTIFICATE },
  { from: 'change-cipher-spec', on: 'ChangeCipherSpec', to: 'finished', kinds: ALL },
  { from: 'finished', on: 'Finished', to: 'connected', kinds: ALL },
];

/** The state after a message; `undefined`: the message must not come now. */
export function nextState(kind: HandshakeKind, from: HandshakeState, on: ClientMessage): HandshakeState | undefined {
  return TRANSITIONS.find((row) => row.from === from && row.on === on && row.kinds.includes(kind))?.to;
}
