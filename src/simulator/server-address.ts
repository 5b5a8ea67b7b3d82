import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { InvalidArgumentError, TransportError } from '../errors';

/** An IP address literal and a UDP port. */
export interface PeerAddress {
  readonly host: string;
  readonly port: number;
}

/** Whether a datagram is the peer's. */
export function isFrom(peer: PeerAddress, from: { readonly address: string; readonly port: number }): boolean {
  return from.port === peer.port && withoutZone(from.address) === peer.host;
}

/** A link-local IPv6 sender is reported with its interface: `fe80::1%eth0`. */
function withoutZone(address: string): string {
  const zone = address.indexOf('%');
  return zone < 0 ? address : address.slice(0, zone);
}

export interface ServerUri {
  readonly scheme: 'coap' | 'coaps';
  /** A name or an IP address literal, without brackets. */
  readonly host: string;
  readonly port: number;
}

const DEFAULT_PORTS = { coap: 5683, coaps: 5684 };

/**
 * Reads `coap://host[:port]` or `coaps://host[:port]` (RFC 7252 s6.1, s6.2).
 * @throws {InvalidArgumentError} no such URI, or a scheme that simulated devices do not speak.
 */
export function parseServerUri(text: string): ServerUri {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.hostname === '') {
    throw new InvalidArgumentError(`not the URI of a server: '${text}' (it looks like coap://127.0.0.1:5683)`);
  }
  const scheme = url.protocol.slice(0, -1);
  if (scheme !== 'coap' && scheme !== 'coaps') {
    throw new InvalidArgumentError(`simulated devices speak coap:// and coaps://, not ${scheme}://`);
  }
  return {
    scheme,
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? DEFAULT_PORTS[scheme] : Number(url.port),
  };
}

/**
 * The address behind the URI's host.
 * @throws {TransportError} the name has no address.
 */
export async function resolveServer(server: ServerUri): Promise<PeerAddress & { family: 4 | 6 }> {
  const literal = isIP(server.host);
  if (literal === 4 || literal === 6) return { host: server.host, port: server.port, family: literal };
  try {
    const { address, family } = await lookup(server.host);
    return { host: address, port: server.port, family: family === 6 ? 6 : 4 };
  } catch (cause) {
    throw new TransportError(`the server's name '${server.host}' has no address`, { cause });
  }
}
