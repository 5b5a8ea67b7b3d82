import { crc32 } from 'node:zlib';
import { ECHO, encodeBlock, encodeUint, type BlockOption } from './coap-options';
import type { NodeCoapOutgoing, NodeCoapRequest } from './node-coap';
import type { NotificationStream } from './notification-stream';

/** A request to the server. */
export interface OutgoingRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: readonly string[];
  readonly query?: readonly string[];
  readonly contentFormat?: number;
  readonly payload?: Buffer;
}

export interface ServerResponse {
  /** In dotted form, such as `2.01`. */
  readonly code: string;
  readonly locationPath: readonly string[];
  /** Seconds (RFC 7252 s5.10.5). */
  readonly maxAge?: number;
  readonly payload: Buffer;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE' | 'FETCH' | 'PATCH' | 'iPATCH';

/** A request of the server. A body in blocks arrives whole. */
export interface IncomingRequest {
  readonly method: Method;
  readonly path: readonly string[];
  readonly query: readonly string[];
  /** Observe = 0 or 1 of GET and FETCH (RFC 7641 s2). */
  readonly observe?: number;
  /** In hex; an observation is known by it. */
  readonly token: string;
  readonly contentFormat?: number;
  readonly accept?: number;
  readonly payload: Buffer;
}

export interface Reply {
  /** In dotted form, such as `2.05`. */
  readonly code: string;
  readonly contentFormat?: number;
  readonly payload?: Buffer;
  readonly locationPath?: readonly string[];
  /** Accepts the observation that was asked for; the stream carries its notifications. */
  readonly observed?: (stream: NotificationStream) => void;
}

/** The largest payload of one message, and the size of the blocks of longer ones (RFC 7959 s2.2). */
export const MAX_PAYLOAD = 1024;

/** Size exponent of the blocks of a long request: 512 bytes, so that one with a long query stays under 1,280 bytes. */
const BLOCK1_EXPONENT = 5;

const EMPTY = Buffer.alloc(0);

export function writeRequest(outgoing: NodeCoapRequest, request: OutgoingRequest, echo: Buffer | undefined): void {
  outgoing.setOption(
    'Uri-Path',
    request.path.map((segment) => Buffer.from(segment)),
  );
  // As options and not as one text, so that an endpoint name may contain '&'.
  if (request.query)
    outgoing.setOption(
      'Uri-Query',
      request.query.map((parameter) => Buffer.from(parameter)),
    );
  if (request.contentFormat !== undefined) outgoing.setOption('Content-Format', encodeUint(request.contentFormat));
  if (echo) outgoing.setOption(ECHO, echo);
  const payload = request.payload ?? EMPTY;
  if (payload.length > MAX_PAYLOAD) outgoing.setOption('Block1', Buffer.of(BLOCK1_EXPONENT));
  outgoing.end(payload.length > 0 ? payload : undefined);
}

/** Also used for notifications, whose stream keeps its options from one to the next. */
export function writeReplyOptions(response: NodeCoapOutgoing, reply: Reply, block2: BlockOption | undefined): void {
  if (reply.contentFormat !== undefined) response.setOption('Content-Format', encodeUint(reply.contentFormat));
  if (reply.locationPath)
    response.setOption(
      'Location-Path',
      reply.locationPath.map((segment) => Buffer.from(segment)),
    );
  // No blocks leave no option behind: an empty list removes what an earlier notification set.
  response.setOption('Block2', block2 ? encodeBlock(block2) : []);
  response.setOption('ETag', block2 && reply.payload ? entityTag(reply.payload) : []);
}

/** Tells two states of a long resource apart, so that nobody joins blocks of both. */
function entityTag(payload: Buffer): Buffer {
  const tag = Buffer.alloc(4);
  tag.writeUInt32BE(crc32(payload));
  return tag;
}
