/** The CoAP endpoint: RFC 7252, 7641, 7959, and what LwM2M needs of 7967, 8132 and 9175. */
export { CoapCode, codeName, formatCode, isRequestCode, isResponseCode, isSuccess, parseCode } from './codes';
export { decodeMessage, encodeEmptyMessage, encodeMessage, MessageFormatError, MessageType } from './message';
export type { CoapMessage } from './message';
export { blockSize } from './options';
export type { Block, CoapOptions } from './options';
export { DEFAULT_LIMITS, DEFAULT_PARAMETERS, exchangeLifetime, maxTransmitWait } from './parameters';
export type { CoapLimits, TransmissionParameters } from './parameters';
export { CoapStack } from './stack';
export type { CoapStackOptions } from './stack';
export type { CoapStatistics } from './statistics';
export type {
  AddressDoubt,
  CoapObservation,
  CoapRequest,
  CoapResponse,
  HandlerResponse,
  IncomingRequest,
  Observer,
  RequestHandler,
  RequestOptions,
} from './types';
