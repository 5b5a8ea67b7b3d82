/**
 * Base64 of either alphabet, with or without padding (RFC 4648 s4 and s5).
 * @returns undefined when it is not base64; Buffer.from would skip what it does not know.
 */
export function decodeBase64(text: string): Buffer | undefined {
  const digits = text.endsWith('==') ? text.length - 2 : text.endsWith('=') ? text.length - 1 : text.length;
  if (digits % 4 === 1 || (digits !== text.length && text.length % 4 !== 0)) return undefined;
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(text)) return undefined;
  return Buffer.from(text, 'base64');
}
