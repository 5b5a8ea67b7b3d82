import { AlertError } from './alert';
import type { CipherSuite } from './cipher-suites/cipher-suite';
import type { DtlsCredentials } from './dtls-credentials';
import type { HandshakeKind } from './handshake-transitions';
import type { Certificate } from './messages/certificate';
import { EMPTY_RENEGOTIATION_INFO_SCSV, NULL_COMPRESSION, type ClientHello } from './messages/client-hello';
import {
  CertificateType,
  NamedGroup,
  PointFormat,
  SignatureScheme,
  type ServerHelloExtensions,
} from './messages/extensions';
import { DTLS_1_2, MAX_PLAINTEXT_LENGTH } from './record/record';
import type { ServerIdentity } from './server-identity';
import type { ResumableSession, SessionCache } from './session-cache';

/** What client and server agree on. */
export interface Agreement {
  readonly kind: HandshakeKind;
  readonly suite: CipherSuite;
  /** The session that goes on; only of the kind `resumption`. */
  readonly resumed: ResumableSession | undefined;
  readonly extendedMasterSecret: boolean;
  readonly encryptThenMac: boolean;
  /** Most bytes of plaintext in a record (RFC 6066 s4). */
  readonly maxPlaintextLength: number;
  readonly serverCertificateKind: Certificate['kind'];
  readonly clientCertificateKind: Certificate['kind'];
  /** The connection id that the client wants to see (may be empty); `undefined`: none either way (RFC 9146 s3). */
  readonly clientConnectionId: Buffer | undefined;
  /** The extensions of the ServerHello, all but the connection id. */
  readonly extensions: ServerHelloExtensions;
}

export interface NegotiationTerms {
  /** In the server's order of preference. */
  readonly suites: readonly CipherSuite[];
  readonly serverIdentity: ServerIdentity | undefined;
  readonly credentials: DtlsCredentials;
  readonly sessions: SessionCache;
  /** `monotonic()` ms. */
  readonly now: number;
}

/**
 * Chooses what a ClientHello lets choose.
 * @throws {AlertError} nothing fits; with the alert of RFC 5246 s7.2.2.
 */
export function negotiate(hello: ClientHello, terms: NegotiationTerms): Agreement {
  checkHello(hello);
  const resumed = findSession(hello, terms);
  const types = chooseCertificateTypes(hello, terms);
  const suite = resumed?.suite ?? chooseSuite(hello, terms, types);
  const certificates = suite.keyExchange === 'ecdhe-ecdsa' && resumed === undefined ? types : undefined;
  const fullKind = suite.keyExchange === 'ecdhe-ecdsa' ? 'certificate' : 'psk';
  const { extensions } = hello;
  const encryptThenMac = extensions.encryptThenMac === true && suite.protection.isBlockCipher;
  return {
    kind: resumed === undefined ? fullKind : 'resumption',
    suite,
    resumed,
    extendedMasterSecret: extensions.extendedMasterSecret === true,
    encryptThenMac,
    maxPlaintextLength:
      extensions.maxFragmentLength === undefined ? MAX_PLAINTEXT_LENGTH : 1 << (8 + extensions.maxFragmentLength),
    serverCertificateKind: certificates?.server === CertificateType.rawPublicKey ? 'raw-public-key' : 'x509',
    clientCertificateKind: certificates?.client === CertificateType.rawPublicKey ? 'raw-public-key' : 'x509',
    clientConnectionId: extensions.connectionId,
    extensions: serverExtensions(hello, suite, encryptThenMac, certificates),
  };
}

function checkHello(hello: ClientHello): void {
  // Versions count down: 1.0 is fe ff, 1.2 is fe fd. Clients of 1.3 say 1.2 here (RFC 9147 s5.3).
  if (hello.version > DTLS_1_2 || hello.version >> 8 !== 0xfe) {
    throw new AlertError('protocolVersion', 'the client cannot do DTLS 1.2');
  }
  if (!hello.compressionMethods.includes(NULL_COMPRESSION)) {
    throw new AlertError('illegalParameter', 'the client does not offer the null compression');
  }
  const { renegotiationInfo, maxFragmentLength } = hello.extensions;
  if (renegotiationInfo !== undefined && renegotiationInfo.length > 0) {
    throw new AlertError('handshakeFailure', 'an initial handshake claims to be a renegotiation');
  }
  if (maxFragmentLength !== undefined && (maxFragmentLength < 1 || maxFragmentLength > 4)) {
    throw new AlertError('illegalParameter', `max_fragment_length is ${maxFragmentLength}`);
  }
}

function findSession(hello: ClientHello, { sessions, suites, now }: NegotiationTerms): ResumableSession | undefined {
  const session = sessions.get(hello.sessionId, now);
  if (session === undefined || !hello.cipherSuites.includes(session.suite.id)) return undefined;
  if (!suites.includes(session.suite)) return undefined;
  if (hello.extensions.extendedMasterSecret !== true) {
    throw new AlertError(
      'handshakeFailure',
      'a session with an extended master secret is resumed without (RFC 7627 s5.3)',
    );
  }
  return session;
}

function chooseSuite(hello: ClientHello, terms: NegotiationTerms, types: CertificateTypes | undefined): CipherSuite {
  const offered = terms.suites.filter((suite) => hello.cipherSuites.includes(suite.id));
  const suite = offered.find(({ keyExchange }) => {
    if (keyExchange === 'psk') return true;
    if (!canDoP256(hello)) return false;
    return (
      keyExchange === 'ecdhe-psk' || (terms.serverIdentity !== undefined && canDoEcdsa(hello) && types !== undefined)
    );
  });
  if (suite !== undefined) return suite;
  const isOnlyTypes = offered.length > 0 && terms.serverIdentity !== undefined && types === undefined;
  throw new AlertError(
    isOnlyTypes ? 'unsupportedCertificate' : 'handshakeFailure',
    `nothing in common with ${hello.cipherSuites
      .slice(0, 16)
      .map((id) => id.toString(16))
      .join(' ')}`,
  );
}

/** A client that does not say what it can may be taken to do anything (RFC 8422 s4). */
function canDoP256({ extensions }: ClientHello): boolean {
  const { supportedGroups, ecPointFormats } = extensions;
  return (
    (supportedGroups === undefined || supportedGroups.includes(NamedGroup.secp256r1)) &&
    (ecPointFormats === undefined || ecPointFormats.includes(PointFormat.uncompressed))
  );
}

/** Without the extension it would be SHA-1 (RFC 5246 s7.4.1.4.1), which we do not do. */
function canDoEcdsa({ extensions }: ClientHello): boolean {
  return extensions.signatureAlgorithms?.includes(SignatureScheme.ecdsaSecp256r1Sha256) ?? false;
}

interface CertificateTypes {
  readonly server: number;
  readonly client: number;
}

/**
 * The first of the client's types that we can check, and the first that we can show (RFC 7250 s4.2); but a client that proves
 * itself by a raw public key gets ours as one when it takes that: it is less likely to know our issuer.
 */
function chooseCertificateTypes(hello: ClientHello, terms: NegotiationTerms): CertificateTypes | undefined {
  const { serverIdentity, credentials } = terms;
  if (serverIdentity === undefined) return undefined;
  const { clientCertificateTypes = [CertificateType.x509], serverCertificateTypes = [CertificateType.x509] } =
    hello.extensions;
  const canCheck = (type: number) =>
    (type === CertificateType.rawPublicKey && credentials.verifyRawPublicKey !== undefined) ||
    (type === CertificateType.x509 && credentials.trustAnchors.length > 0);
  const canShow = (type: number) =>
    type === CertificateType.rawPublicKey || (type === CertificateType.x509 && serverIdentity.chain.length > 0);
  const client = clientCertificateTypes.find(canCheck);
  const takesRaw = serverCertificateTypes.includes(CertificateType.rawPublicKey);
  const server = client === CertificateType.rawPublicKey && takesRaw ? client : serverCertificateTypes.find(canShow);
  return server === undefined || client === undefined ? undefined : { server, client };
}

function serverExtensions(
  hello: ClientHello,
  suite: CipherSuite,
  encryptThenMac: boolean,
  types: CertificateTypes | undefined,
): ServerHelloExtensions {
  const asked = hello.extensions;
  const extensions: ServerHelloExtensions = {};
  if (asked.renegotiationInfo !== undefined || hello.cipherSuites.includes(EMPTY_RENEGOTIATION_INFO_SCSV)) {
    extensions.renegotiationInfo = Buffer.alloc(0);
  }
  if (asked.extendedMasterSecret === true) extensions.extendedMasterSecret = true;
  if (encryptThenMac) extensions.encryptThenMac = true;
  if (asked.maxFragmentLength !== undefined) extensions.maxFragmentLength = asked.maxFragmentLength;
  if (asked.ecPointFormats !== undefined && suite.keyExchange !== 'psk') {
    extensions.ecPointFormats = [PointFormat.uncompressed];
  }
  if (types !== undefined && asked.serverCertificateTypes !== undefined)
    extensions.serverCertificateType = types.server;
  if (types !== undefined && asked.clientCertificateTypes !== undefined)
    extensions.clientCertificateType = types.client;
  return extensions;
}
