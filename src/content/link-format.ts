import { CodecError } from '../errors';

/** A link of RFC 6690. An attribute without a value is there with `undefined`. */
export interface Link {
  target: string;
  attributes: Map<string, string | undefined>;
}

export interface DiscoveredPath {
  path: string;
  attributes: Record<string, string | number>;
}

const MAX_BYTES = 64 * 1024;

export function parseLinks(payload: Buffer): Link[] {
  if (payload.length > MAX_BYTES) throw new CodecError('link-format: more than 64 KiB');
  throw new CodecError('link-format: not yet');
}

export function formatLinks(links: readonly Link[]): Buffer {
  return Buffer.from(links.map((link) => `<${link.target}>`).join(','));
}

export function parseDiscovery(payload: Buffer, rootPath: string): DiscoveredPath[] {
  return parseLinks(payload).map((link) => ({ path: rootPath + link.target, attributes: {} }));
}
