import { CodecError } from '../errors';

/** The class of a code: 0 request, 2 success, 4 client error, 5 server error. */
const CLASS_SHIFT = 5;
const DETAIL_MASK = 0x1f;

/** Request methods and response codes: RFC 7252 s12.1, RFC 7959 s2.9, RFC 8132 s5, RFC 9175 s5 and RFC 8516. */
export const CoapCode = {
  Empty: 0x00,

  GET: 0x01,
  POST: 0x02,
  PUT: 0x03,
  DELETE: 0x04,
  FETCH: 0x05,
  PATCH: 0x06,
  IPATCH: 0x07,

  Created: 0x41,
  Deleted: 0x42,
  Valid: 0x43,
  Changed: 0x44,
  Content: 0x45,
  Continue: 0x5f,

  BadRequest: 0x80,
  Unauthorized: 0x81,
  BadOption: 0x82,
  Forbidden: 0x83,
  NotFound: 0x84,
  MethodNotAllowed: 0x85,
  NotAcceptable: 0x86,
  RequestEntityIncomplete: 0x88,
  Conflict: 0x89,
  PreconditionFailed: 0x8c,
  RequestEntityTooLarge: 0x8d,
  UnsupportedContentFormat: 0x8f,
  UnprocessableEntity: 0x96,
  TooManyRequests: 0x9d,

  InternalServerError: 0xa0,
  NotImplemented: 0xa1,
  BadGateway: 0xa2,
  ServiceUnavailable: 0xa3,
  GatewayTimeout: 0xa4,
  ProxyingNotSupported: 0xa5,
} as const;

const METHOD_NAMES = ['', 'GET', 'POST', 'PUT', 'DELETE', 'FETCH', 'PATCH', 'iPATCH'];

/** The dotted form that specifications use: `formatCode(0x84)` is `4.04`. */
export function formatCode(code: number): string {
  return `${code >> CLASS_SHIFT}.${(code & DETAIL_MASK).toString().padStart(2, '0')}`;
}

/**
 * The inverse of {@link formatCode}.
 * @throws {CodecError} not of the form `c.dd` with c of 0..7 and dd of 00..31.
 */
export function parseCode(text: string): number {
  const match = /^([0-7])\.([0-2][0-9]|3[01])$/.exec(text);
  if (match === null) throw new CodecError(`not a CoAP code: '${text}'`);
  return (Number(match[1]) << CLASS_SHIFT) | Number(match[2]);
}

/** A method's name, or the dotted form of a code that has none. For logs. */
export function codeName(code: number): string {
  return METHOD_NAMES[code] || formatCode(code);
}

/** Whether the code is of class 0 and not Empty. */
export function isRequestCode(code: number): boolean {
  return code > 0 && code < 0x20;
}

/** Whether the code is of class 2, 4 or 5. */
export function isResponseCode(code: number): boolean {
  const codeClass = code >> CLASS_SHIFT;
  return codeClass === 2 || codeClass === 4 || codeClass === 5;
}

/** Whether the code is of class 2. */
export function isSuccess(code: number): boolean {
  return code >> CLASS_SHIFT === 2;
}
