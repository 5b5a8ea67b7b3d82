import { createECDH, sign } from 'node:crypto';
import { AlertError } from '../alert';
import type { FlightMessage, HandshakeContext } from '../handshake-context';
import { encodeCertificate } from '../messages/certificate';
import { ECDSA_SIGN, encodeCertificateRequest } from '../messages/certificate-request';
import { NULL_COMPRESSION } from '../messages/client-hello';
import { NamedGroup, SignatureScheme, type ServerHelloExtensions } from '../messages/extensions';
import { HandshakeType } from '../messages/handshake-type';
import { encodeServerHello } from '../messages/server-hello';
import { encodeServerHelloDone } from '../messages/server-hello-done';
import { encodeEcdhParameters, encodeServerKeyExchange } from '../messages/server-key-exchange';
import { DTLS_1_2 } from '../record/record';
import type { ServerIdentity } from '../server-identity';

/**
 * Flight 4 of a full handshake (RFC 6347 s4.2.4, figure 1). PSK has no ServerKeyExchange, because we have no identity hint to
 * give (RFC 4279 s2); ECDHE_ECDSA always asks for the client's certificate.
 */
export function serverHelloFlight(context: HandshakeContext): FlightMessage[] {
  const { keyExchange } = context.agreement.suite;
  const flight = [serverHello(context)];
  if (keyExchange === 'ecdhe-psk') flight.push(ecdhePskKeyExchange(context));
  if (keyExchange === 'ecdhe-ecdsa') {
    const { serverIdentity } = context.services;
    if (serverIdentity === undefined) throw new AlertError('internalError', 'there is no server key');
    flight.push(
      certificate(context, serverIdentity),
      ecdsaKeyExchange(context, serverIdentity),
      certificateRequest(context),
    );
  }
  flight.push(context.message(HandshakeType.serverHelloDone, encodeServerHelloDone()));
  return flight;
}

/** Also the first message of a resumption. */
export function serverHello(context: HandshakeContext): FlightMessage {
  const { agreement, serverRandom, sessionId, ownConnectionId } = context;
  const extensions: ServerHelloExtensions = { ...agreement.extensions };
  if (ownConnectionId !== undefined) extensions.connectionId = ownConnectionId;
  const body = encodeServerHello({
    version: DTLS_1_2,
    random: serverRandom,
    sessionId,
    cipherSuite: agreement.suite.id,
    compressionMethod: NULL_COMPRESSION,
    extensions,
  });
  return context.message(HandshakeType.serverHello, body);
}

function certificate(context: HandshakeContext, identity: ServerIdentity): FlightMessage {
  const isRaw = context.agreement.serverCertificateKind === 'raw-public-key';
  const body = encodeCertificate(
    isRaw
      ? { kind: 'raw-public-key', subjectPublicKeyInfo: identity.rawPublicKey }
      : { kind: 'x509', chain: identity.chain },
  );
  return context.message(HandshakeType.certificate, body);
}

function newKeyPair(context: HandshakeContext): Buffer {
  const ecdh = createECDH('prime256v1');
  context.ecdh = ecdh;
  return ecdh.generateKeys();
}

function ecdsaKeyExchange(context: HandshakeContext, identity: ServerIdentity): FlightMessage {
  const publicPoint = newKeyPair(context);
  const parameters = encodeEcdhParameters(NamedGroup.secp256r1, publicPoint);
  const signed = Buffer.concat([context.hello.random, context.serverRandom, parameters]);
  const body = encodeServerKeyExchange({
    keyExchange: 'ecdhe-ecdsa',
    group: NamedGroup.secp256r1,
    publicPoint,
    signatureScheme: SignatureScheme.ecdsaSecp256r1Sha256,
    signature: sign('sha256', signed, identity.key),
  });
  return context.message(HandshakeType.serverKeyExchange, body);
}

function ecdhePskKeyExchange(context: HandshakeContext): FlightMessage {
  const body = encodeServerKeyExchange({
    keyExchange: 'ecdhe-psk',
    identityHint: Buffer.alloc(0),
    group: NamedGroup.secp256r1,
    publicPoint: newKeyPair(context),
  });
  return context.message(HandshakeType.serverKeyExchange, body);
}

function certificateRequest(context: HandshakeContext): FlightMessage {
  const body = encodeCertificateRequest({
    certificateTypes: [ECDSA_SIGN],
    signatureAlgorithms: [SignatureScheme.ecdsaSecp256r1Sha256],
    certificateAuthorities: [],
  });
  return context.message(HandshakeType.certificateRequest, body);
}
