import { CodecError } from '../../errors';
import { decodeUint16List, encodeUint16List, WireReader, WireWriter } from '../wire';

export const ExtensionType = {
  maxFragmentLength: 1,
  supportedGroups: 10,
  ecPointFormats: 11,
  signatureAlgorithms: 13,
  clientCertificateType: 19,
  serverCertificateType: 20,
  encryptThenMac: 22,
  extendedMasterSecret: 23,
  connectionId: 54,
  renegotiationInfo: 0xff01,
} as const;

export const NamedGroup = { secp256r1: 23 } as const;
export const SignatureScheme = { ecdsaSecp256r1Sha256: 0x0403 } as const;
/** RFC 7250 s6. */
export const CertificateType = { x509: 0, rawPublicKey: 2 } as const;
export const PointFormat = { uncompressed: 0 } as const;

/** The extensions that either hello may hold; those that we do not know are left out when decoding (RFC 5246 s7.4.1.4). */
export interface CommonExtensions {
  /** RFC 6066 s4: 1..4 for 2^9..2^12 bytes. */
  maxFragmentLength?: number;
  /** RFC 8422 s5.1.2. */
  ecPointFormats?: readonly number[];
  /** RFC 7366. */
  encryptThenMac?: boolean;
  /** RFC 7627 s5.1. */
  extendedMasterSecret?: boolean;
  /** RFC 9146 s3: the connection id that the sender wants to find in records sent to it; may be empty. */
  connectionId?: Buffer;
  /** RFC 5746 s3.2: empty in an initial handshake. */
  renegotiationInfo?: Buffer;
}

export interface ClientHelloExtensions extends CommonExtensions {
  /** RFC 8422 s5.1.1. */
  supportedGroups?: readonly number[];
  /** RFC 5246 s7.4.1.4.1. */
  signatureAlgorithms?: readonly number[];
  /** RFC 7250 s3: what the client can prove itself with, best first. */
  clientCertificateTypes?: readonly number[];
  /** RFC 7250 s3: what the client takes as the server's proof, best first. */
  serverCertificateTypes?: readonly number[];
}

export interface ServerHelloExtensions extends CommonExtensions {
  clientCertificateType?: number;
  serverCertificateType?: number;
}

type RawExtensions = ReadonlyMap<number, Buffer>;

/** @throws {CodecError} cut off, or an extension twice (RFC 5246 s7.4.1.4). */
function readExtensions(reader: WireReader): RawExtensions {
  const extensions = new Map<number, Buffer>();
  // A hello may end before its extensions (RFC 5246 s7.4.1.2).
  if (reader.remaining === 0) return extensions;
  const list = new WireReader(reader.vector16(), 'the extensions');
  while (list.remaining > 0) {
    const type = list.uint16();
    if (extensions.has(type)) throw new CodecError(`the extension ${type} appears twice`);
    extensions.set(type, list.vector16());
  }
  return extensions;
}

function decodeCommon(raw: RawExtensions): CommonExtensions {
  const extensions: CommonExtensions = {};
  const maxFragmentLength = raw.get(ExtensionType.maxFragmentLength);
  if (maxFragmentLength !== undefined) extensions.maxFragmentLength = only(maxFragmentLength, 'max_fragment_length');
  const formats = raw.get(ExtensionType.ecPointFormats);
  if (formats !== undefined) extensions.ecPointFormats = list8(formats, 'ec_point_formats');
  const encryptThenMac = raw.get(ExtensionType.encryptThenMac);
  if (encryptThenMac !== undefined) extensions.encryptThenMac = flag(encryptThenMac, 'encrypt_then_mac');
  const master = raw.get(ExtensionType.extendedMasterSecret);
  if (master !== undefined) extensions.extendedMasterSecret = flag(master, 'extended_master_secret');
  const connectionId = raw.get(ExtensionType.connectionId);
  if (connectionId !== undefined) extensions.connectionId = whole8(connectionId, 'connection_id');
  const renegotiation = raw.get(ExtensionType.renegotiationInfo);
  if (renegotiation !== undefined) extensions.renegotiationInfo = whole8(renegotiation, 'renegotiation_info');
  return extensions;
}

export function decodeClientHelloExtensions(reader: WireReader): ClientHelloExtensions {
  const raw = readExtensions(reader);
  const extensions: ClientHelloExtensions = decodeCommon(raw);
  const groups = raw.get(ExtensionType.supportedGroups);
  if (groups !== undefined) extensions.supportedGroups = list16(groups, 'supported_groups');
  const signatures = raw.get(ExtensionType.signatureAlgorithms);
  if (signatures !== undefined) extensions.signatureAlgorithms = list16(signatures, 'signature_algorithms');
  const clientTypes = raw.get(ExtensionType.clientCertificateType);
  if (clientTypes !== undefined) extensions.clientCertificateTypes = list8(clientTypes, 'client_certificate_type');
  const serverTypes = raw.get(ExtensionType.serverCertificateType);
  if (serverTypes !== undefined) extensions.serverCertificateTypes = list8(serverTypes, 'server_certificate_type');
  return extensions;
}

export function decodeServerHelloExtensions(reader: WireReader): ServerHelloExtensions {
  const raw = readExtensions(reader);
  const extensions: ServerHelloExtensions = decodeCommon(raw);
  const clientType = raw.get(ExtensionType.clientCertificateType);
  if (clientType !== undefined) extensions.clientCertificateType = only(clientType, 'client_certificate_type');
  const serverType = raw.get(ExtensionType.serverCertificateType);
  if (serverType !== undefined) extensions.serverCertificateType = only(serverType, 'server_certificate_type');
  return extensions;
}

export function encodeClientHelloExtensions(extensions: ClientHelloExtensions): Buffer {
  const list = new WireWriter();
  const { supportedGroups, signatureAlgorithms, clientCertificateTypes, serverCertificateTypes } = extensions;
  if (supportedGroups !== undefined) put(list, ExtensionType.supportedGroups, vector16(supportedGroups));
  if (signatureAlgorithms !== undefined) put(list, ExtensionType.signatureAlgorithms, vector16(signatureAlgorithms));
  if (clientCertificateTypes !== undefined) {
    put(list, ExtensionType.clientCertificateType, vector8(clientCertificateTypes));
  }
  if (serverCertificateTypes !== undefined) {
    put(list, ExtensionType.serverCertificateType, vector8(serverCertificateTypes));
  }
  encodeCommon(list, extensions);
  return finish(list);
}

export function encodeServerHelloExtensions(extensions: ServerHelloExtensions): Buffer {
  const list = new WireWriter();
  const { clientCertificateType, serverCertificateType } = extensions;
  if (clientCertificateType !== undefined) {
    put(list, ExtensionType.clientCertificateType, Buffer.from([clientCertificateType]));
  }
  if (serverCertificateType !== undefined) {
    put(list, ExtensionType.serverCertificateType, Buffer.from([serverCertificateType]));
  }
  encodeCommon(list, extensions);
  return finish(list);
}

function encodeCommon(list: WireWriter, extensions: CommonExtensions): void {
  const { maxFragmentLength, ecPointFormats, connectionId, renegotiationInfo } = extensions;
  const empty = Buffer.alloc(0);
  if (maxFragmentLength !== undefined) put(list, ExtensionType.maxFragmentLength, Buffer.from([maxFragmentLength]));
  if (ecPointFormats !== undefined) put(list, ExtensionType.ecPointFormats, vector8(ecPointFormats));
  if (extensions.encryptThenMac === true) put(list, ExtensionType.encryptThenMac, empty);
  if (extensions.extendedMasterSecret === true) put(list, ExtensionType.extendedMasterSecret, empty);
  if (connectionId !== undefined) put(list, ExtensionType.connectionId, vector8(connectionId));
  if (renegotiationInfo !== undefined) put(list, ExtensionType.renegotiationInfo, vector8(renegotiationInfo));
}

function put(list: WireWriter, type: number, data: Buffer): void {
  list.uint16(type).vector16(data);
}

/** No extensions at all: not even the length of the list. */
function finish(list: WireWriter): Buffer {
  return list.length === 0 ? Buffer.alloc(0) : new WireWriter(list.length + 2).vector16(list.finish()).finish();
}

function vector8(values: readonly number[] | Buffer): Buffer {
  return Buffer.from([values.length, ...values]);
}

function vector16(values: readonly number[]): Buffer {
  return new WireWriter(2 + values.length * 2).vector16(encodeUint16List(values)).finish();
}

function flag(data: Buffer, what: string): true {
  new WireReader(data, what).end();
  return true;
}

function only(data: Buffer, what: string): number {
  const reader = new WireReader(data, what);
  const value = reader.uint8();
  reader.end();
  return value;
}

/** A copy, because the hello is a view into a datagram and what we keep of it lives longer. */
function whole8(data: Buffer, what: string): Buffer {
  const reader = new WireReader(data, what);
  const value = Buffer.from(reader.vector8());
  reader.end();
  return value;
}

function list8(data: Buffer, what: string): number[] {
  const reader = new WireReader(data, what);
  const values = [...reader.vector8(1)];
  reader.end();
  return values;
}

function list16(data: Buffer, what: string): number[] {
  const reader = new WireReader(data, what);
  const values = decodeUint16List(reader.vector16(2), what);
  reader.end();
  return values;
}
