import { CodecError, TransportError } from '../errors';
import { WireReader } from './wire';

export const AlertLevel = { warning: 1, fatal: 2 } as const;

/** AlertDescription (RFC 5246 s7.2; 110 of RFC 5246 s7.4.1.4, 115 of RFC 4279 s6). */
export const AlertDescription = {
  closeNotify: 0,
  unexpectedMessage: 10,
  badRecordMac: 20,
  recordOverflow: 22,
  handshakeFailure: 40,
  badCertificate: 42,
  unsupportedCertificate: 43,
  certificateRevoked: 44,
  certificateExpired: 45,
  certificateUnknown: 46,
  illegalParameter: 47,
  unknownCa: 48,
  accessDenied: 49,
  decodeError: 50,
  decryptError: 51,
  protocolVersion: 70,
  insufficientSecurity: 71,
  internalError: 80,
  userCanceled: 90,
  noRenegotiation: 100,
  unsupportedExtension: 110,
  unknownPskIdentity: 115,
} as const;

export type AlertName = keyof typeof AlertDescription;

/** `struct { AlertLevel level; AlertDescription description; }` (RFC 5246 s7.2). */
export interface Alert {
  level: number;
  description: number;
}

export function encodeAlert(level: keyof typeof AlertLevel, name: AlertName): Buffer {
  return Buffer.from([AlertLevel[level], AlertDescription[name]]);
}

/** @throws {CodecError} not two bytes, or an unknown level. */
export function decodeAlert(bytes: Buffer): Alert {
  const reader = new WireReader(bytes, 'an alert');
  const alert = { level: reader.uint8(), description: reader.uint8() };
  reader.end();
  if (alert.level !== AlertLevel.warning && alert.level !== AlertLevel.fatal) {
    throw new CodecError(`an alert has the level ${alert.level}`);
  }
  return alert;
}

/** Ends a handshake with a fatal alert to the peer. The message is for our log, never for the peer. */
export class AlertError extends TransportError {
  readonly alert: AlertName;

  constructor(alert: AlertName, message: string) {
    super(message);
    this.alert = alert;
  }
}
