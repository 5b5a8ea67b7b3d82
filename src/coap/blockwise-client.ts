import { CodecError } from '../errors';
import { CoapCode, isSuccess } from './codes';
import { NO_BYTES } from './message';
import type { CoapMessage } from './message';
import { blockSize, blockSzx } from './options';
import type { Block, CoapOptions } from './options';
import type { CoapLimits } from './parameters';
import type { CoapRequest, CoapResponse } from './types';

/** Sends one message and waits for its response. */
export type SendOne = (request: CoapRequest, token: Buffer) => Promise<CoapMessage>;

/** How often a body that changes while it is fetched is begun again. */
const RESTARTS = 2;

/** Whether the response is one block of a larger body. */
export function isPartial(response: CoapMessage): boolean {
  const { block2 } = response.options;
  return block2 !== undefined && (block2.more || block2.num > 0);
}

/** Whether the peer refused a body for its size and says in which blocks it would take it (RFC 7959 s2.9.3). */
export function wantsBlocks(response: CoapMessage, request: CoapRequest): boolean {
  const { block1 } = response.options;
  return (
    response.code === CoapCode.RequestEntityTooLarge &&
    block1 !== undefined &&
    blockSize(block1.szx) < (request.payload?.length ?? 0)
  );
}

/**
 * Sends the body of a request in blocks, all with the same token (RFC 7959 s2.5; devices built on node-coap know the
 * blocks of one body by it).
 * @returns the response to the last block, or to the block at which the peer ended it
 * @throws {CodecError} the peer acknowledges another block than the one sent
 */
export async function sendInBlocks(
  send: SendOne,
  request: CoapRequest,
  token: Buffer,
  largest: number,
): Promise<CoapMessage> {
  const payload = request.payload ?? NO_BYTES;
  let szx = blockSzx(largest);
  let offset = 0;
  for (;;) {
    const end = offset + blockSize(szx);
    const block1: Block = { num: offset / blockSize(szx), more: end < payload.length, szx };
    const options: CoapOptions = { ...request.options, block1 };
    if (offset === 0) options.size1 = payload.length;
    const response = await send({ ...request, options, payload: payload.subarray(offset, end) }, token);

    const answered = response.options.block1;
    if (offset === 0 && wantsBlocks(response, request) && answered !== undefined && answered.szx < szx) {
      szx = answered.szx;
      continue;
    }
    if (!block1.more || !isSuccess(response.code)) return response;
    // A success without Block1 before the end: the peer has all it wants.
    if (answered === undefined && response.code !== CoapCode.Continue) return response;
    if (answered?.num !== block1.num) {
      throw new CodecError(`block ${block1.num} was acknowledged as block ${answered?.num ?? 'of no number'}`);
    }
    offset = end;
    szx = Math.min(szx, answered.szx);
  }
}

/**
 * Fetches the rest of a response that came as one block (RFC 7959 s2.4), and checks that all blocks are of the same body.
 * All requests have the same token, by which devices built on node-coap find the body that they keep; for a notification
 * it must not be that of the observation (RFC 7959 s3.4).
 * @returns the whole, with the options of its first block; or the error that the peer answered to a later block
 * @throws {CodecError} blocks that do not fit together, a body above the limit, a body that keeps changing
 */
export async function fetchRest(
  send: SendOne,
  request: CoapRequest,
  token: Buffer,
  first: CoapMessage,
  limits: CoapLimits,
): Promise<CoapResponse> {
  let start = first;
  for (let restarts = 0; ; restarts += 1) {
    const whole = await collect(send, request, token, start, limits);
    if (whole !== 'changed') return whole;
    const mayRepeat = request.code === CoapCode.GET || request.code === CoapCode.FETCH;
    if (!mayRepeat || restarts === RESTARTS) throw new CodecError('the response changed while its blocks were fetched');
    start = await send(withoutTransferOptions(request), token);
    if (!isPartial(start)) return wholeResponse(start, start.payload);
  }
}

async function collect(
  send: SendOne,
  request: CoapRequest,
  token: Buffer,
  first: CoapMessage,
  limits: CoapLimits,
): Promise<CoapResponse | 'changed'> {
  const blocks: Buffer[] = [];
  let length = 0;
  let response = first;
  for (;;) {
    const block = checkedBlock(response, length, limits);
    blocks.push(response.payload);
    length += response.payload.length;
    if (!block.more) return wholeResponse(first, Buffer.concat(blocks, length));

    const block2: Block = { num: length / blockSize(block.szx), more: false, szx: block.szx };
    const rest = withoutTransferOptions(request);
    response = await send({ ...rest, options: { ...rest.options, block2 } }, token);
    if (!isSuccess(response.code)) return response;
    if (!sameETag(first, response)) return 'changed';
  }
}

/**
 * The request for a later block: without the body, which only a FETCH needs again (RFC 8132 s2.1: it is part of what is
 * asked), and without what began the transfer.
 */
function withoutTransferOptions(request: CoapRequest): CoapRequest {
  const options = { ...request.options };
  delete options.block1;
  delete options.size1;
  delete options.observe;
  if (request.code === CoapCode.FETCH) return { ...request, options };
  delete options.contentFormat;
  return { ...request, options, payload: NO_BYTES };
}

/** The Block2 option of a response whose block must start at `length`. */
function checkedBlock(response: CoapMessage, length: number, limits: CoapLimits): Block {
  const { block2, size2 } = response.options;
  const { payload } = response;
  if (block2 === undefined) throw new CodecError(`block at byte ${length} came without a Block2 option`);
  if (block2.szx === 7) throw new CodecError('block size exponent 7 is reserved');
  const size = blockSize(block2.szx);
  if (block2.num * size !== length) {
    throw new CodecError(`the block at byte ${block2.num * size} came in place of that at byte ${length}`);
  }
  if (block2.more ? payload.length !== size : payload.length > size) {
    throw new CodecError(`a block of ${payload.length} bytes, not ${size}`);
  }
  const total = Math.max(length + payload.length, length === 0 ? (size2 ?? 0) : 0);
  if (total > limits.responseBody) {
    throw new CodecError(`a response of ${total} bytes or more is above the limit of ${limits.responseBody}`);
  }
  return block2;
}

/** Some devices give the ETag with the first block only. */
function sameETag(one: CoapMessage, other: CoapMessage): boolean {
  const first = one.options.eTag?.[0];
  const second = other.options.eTag?.[0];
  return first === undefined || second === undefined || first.equals(second);
}

function wholeResponse(first: CoapMessage, payload: Buffer): CoapResponse {
  const options = { ...first.options };
  delete options.block2;
  delete options.size2;
  return { code: first.code, options, payload };
}
