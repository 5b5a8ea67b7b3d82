import { CoapCode, isSuccess } from './codes';
import type { HandlerResponse } from './types';

/**
 * How much of a payload goes to an address that may be forged, bytes. With 4 bytes of header, 8 of token, 1 of marker and at
 * most 51 of options the whole stays within the 136 bytes that RFC 9175 s2.4 allows before the address is verified.
 */
export const SMALL_PAYLOAD = 72;

/**
 * What an unverified peer gets instead of a large response: the beginning of a diagnostic, or in place of content the demand
 * to come again with the Echo option.
 */
export function smallResponse({ code, options, payload }: HandlerResponse, echo: Buffer): HandlerResponse {
  if (isSuccess(code)) return { code: CoapCode.Unauthorized, options: { echo } };
  return { code, options, payload: beginningOf(payload ?? Buffer.alloc(0)) };
}

/** At most so many bytes of a UTF-8 text, and no half characters. */
function beginningOf(text: Buffer): Buffer {
  let end = Math.min(text.length, SMALL_PAYLOAD);
  if (end < text.length) while (end > 0 && ((text[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return text.subarray(0, end);
}
