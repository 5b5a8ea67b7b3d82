import { createPublicKey, timingSafeEqual, verify, type KeyObject } from 'node:crypto';
import { AlertError } from '../alert';
import type { HandshakeContext } from '../handshake-context';
import type { ClientMessage } from '../handshake-transitions';
import type { AssembledMessage } from '../message-assembler';
import { decodeCertificate, type Certificate } from '../messages/certificate';
import { decodeCertificateVerify } from '../messages/certificate-verify';
import { decodeClientKeyExchange } from '../messages/client-key-exchange';
import { SignatureScheme } from '../messages/extensions';
import { decodeFinished } from '../messages/finished';
import { extendedMasterSecret, masterSecret, pskPremasterSecret, verifyData } from '../prf';
import { isP256 } from '../server-identity';
import { parseCertificate, verifyCertificatePath } from '../x509/verify-certificate-path';
import { deriveCipher } from './derive-cipher';

/** Takes a message whose turn it is, and enters it into the transcript. Throws an AlertError or CodecError to refuse it. */
export type MessageHandler = (context: HandshakeContext, message: AssembledMessage) => void | Promise<void>;

/** Flight 5 (RFC 6347 s4.2.4, figure 1), and of figure 2 the client's Finished. */
export const FLIGHT_5: Readonly<Record<Exclude<ClientMessage, 'ClientHello' | 'ChangeCipherSpec'>, MessageHandler>> = {
  Certificate: receiveCertificate,
  ClientKeyExchange: receiveClientKeyExchange,
  CertificateVerify: receiveCertificateVerify,
  Finished: receiveFinished,
};

/** Only the key is read here; who it belongs to is looked into once the client has proved to own it. */
function receiveCertificate(context: HandshakeContext, message: AssembledMessage): void {
  const certificate = decodeCertificate(message.body, context.agreement.clientCertificateKind);
  context.clientCertificate = certificate;
  context.clientPublicKey = publicKeyOf(certificate);
  if (!isP256(context.clientPublicKey))
    throw new AlertError('unsupportedCertificate', "the client's key is not on P-256");
  context.enter(message);
}

function publicKeyOf(certificate: Certificate): KeyObject {
  if (certificate.kind === 'x509') {
    const [leaf] = certificate.chain;
    if (leaf === undefined) throw new AlertError('handshakeFailure', 'the client sent no certificate');
    return parseCertificate(leaf).certificate.publicKey;
  }
  const { subjectPublicKeyInfo } = certificate;
  if (subjectPublicKeyInfo.length === 0) throw new AlertError('handshakeFailure', 'the client sent no public key');
  try {
    return createPublicKey({ key: subjectPublicKeyInfo, format: 'der', type: 'spki' });
  } catch {
    throw new AlertError('badCertificate', 'the client sent what is not a public key');
  }
}

async function receiveClientKeyExchange(context: HandshakeContext, message: AssembledMessage): Promise<void> {
  const { keyExchange } = context.agreement.suite;
  const exchange = decodeClientKeyExchange(message.body, keyExchange);
  context.enter(message);
  if (exchange.keyExchange === 'ecdhe-ecdsa') return deriveKeys(context, sharedSecret(context, exchange.publicPoint));
  const psk = await lookUp(context, exchange.identity);
  const otherSecret =
    exchange.keyExchange === 'psk' ? Buffer.alloc(psk.length) : sharedSecret(context, exchange.publicPoint);
  deriveKeys(context, pskPremasterSecret(otherSecret, psk));
}

/** An unknown identity gets a random key, so that the handshake fails just as with a wrong one (RFC 4279 s2). */
async function lookUp(context: HandshakeContext, identity: Buffer): Promise<Buffer> {
  const { services } = context;
  const name = identity.toString('utf8');
  const isText = Buffer.from(name, 'utf8').equals(identity);
  context.identity = { mode: 'psk', name };
  const stranger = services.random(16);
  return services.ask(
    () => services.credentials.psk(name),
    (psk) => (psk === undefined || psk.length === 0 || !isText ? stranger : psk),
  );
}

/** @throws {AlertError} the point is not on the curve. */
function sharedSecret({ ecdh }: HandshakeContext, publicPoint: Buffer): Buffer {
  if (ecdh === undefined) throw new AlertError('internalError', 'there is no key pair of ours');
  if (publicPoint.readUInt8(0) !== 4) throw new AlertError('illegalParameter', "the client's point is compressed");
  try {
    return ecdh.computeSecret(publicPoint);
  } catch {
    throw new AlertError('illegalParameter', "the client's point is not on the curve");
  }
}

function deriveKeys(context: HandshakeContext, premaster: Buffer): void {
  const { agreement, hello, serverRandom, transcript } = context;
  const master = agreement.extendedMasterSecret
    ? extendedMasterSecret(premaster, transcript.hash())
    : masterSecret(premaster, hello.random, serverRandom);
  context.masterSecret = master;
  deriveCipher(context, master);
}

async function receiveCertificateVerify(context: HandshakeContext, message: AssembledMessage): Promise<void> {
  const { signatureScheme, signature } = decodeCertificateVerify(message.body);
  const { clientPublicKey, clientCertificate, transcript } = context;
  if (clientPublicKey === undefined || clientCertificate === undefined) {
    throw new AlertError('unexpectedMessage', 'CertificateVerify came before a certificate');
  }
  if (signatureScheme !== SignatureScheme.ecdsaSecp256r1Sha256) {
    throw new AlertError('illegalParameter', 'CertificateVerify is signed by an algorithm that was not asked for');
  }
  if (!verify('sha256', transcript.bytes(), clientPublicKey, signature)) {
    throw new AlertError('decryptError', 'the signature of CertificateVerify is wrong');
  }
  context.enter(message);
  await (clientCertificate.kind === 'x509'
    ? identifyCertificate(context, clientCertificate.chain)
    : identifyRawPublicKey(context, clientCertificate.subjectPublicKeyInfo));
}

function identifyCertificate(context: HandshakeContext, chain: readonly Buffer[]): Promise<void> {
  const { services } = context;
  const { credentials } = services;
  const names = verifyCertificatePath(chain, credentials.trustAnchors, services.now());
  const leaf = parseCertificate(chain[0] ?? Buffer.alloc(0)).certificate;
  return services.ask(
    () => credentials.verifyCertificate?.(names, leaf) ?? Promise.resolve(names[0]),
    (name) => {
      if (name === undefined) throw new AlertError('certificateUnknown', 'the certificate is of nobody we know');
      context.identity = { mode: 'x509', name };
    },
  );
}

function identifyRawPublicKey(context: HandshakeContext, subjectPublicKeyInfo: Buffer): Promise<void> {
  const { services } = context;
  const { credentials } = services;
  return services.ask(
    () => credentials.verifyRawPublicKey?.(subjectPublicKeyInfo) ?? Promise.resolve(undefined),
    (name) => {
      if (name === undefined) throw new AlertError('certificateUnknown', 'the raw public key is of nobody we know');
      context.identity = { mode: 'rpk', name };
    },
  );
}

function receiveFinished(context: HandshakeContext, message: AssembledMessage): void {
  const finished = decodeFinished(message.body);
  if (context.masterSecret === undefined) throw new AlertError('unexpectedMessage', 'Finished came before the keys');
  const expected = verifyData(context.masterSecret, 'client', context.transcript.hash());
  if (!timingSafeEqual(expected, finished.verifyData)) {
    throw new AlertError('decryptError', 'the Finished of the client is wrong');
  }
  context.enter(message);
}
