import { createHash } from 'node:crypto';
import { failure } from './blockwise-receiver';
import type { ChannelState } from './channel-state';
import { CoapCode } from './codes';
import { blockSize, blockSzx } from './options';
import type { Block, CoapOptions } from './options';
import type { CoapLimits } from './parameters';
import type { Transfer, Transfers } from './transfers';
import type { HandlerResponse } from './types';
import { NO_BYTES } from './message';

/** What of a request tells which response its later blocks belong to. */
interface RequestLine {
  readonly code: number;
  readonly options: CoapOptions;
}

/** Serves responses too large for one message block by block (RFC 7959 s2.4), each with the ETag of the whole. */
export class BlockwiseSender {
  readonly #transfers: Transfers;
  readonly #limits: CoapLimits;

  constructor(transfers: Transfers, limits: CoapLimits) {
    this.#transfers = transfers;
    this.#limits = limits;
  }

  /** A later block of a response that is kept; `undefined` when none is. */
  next(state: ChannelState, request: RequestLine, asked: Block): HandlerResponse | undefined {
    const key = transferKey(request);
    const kept = this.#transfers.take(state, key);
    if (!(kept instanceof KeptResponse)) return undefined;
    this.#transfers.keep(state, key, kept);
    return this.#slice(kept.response, asked);
  }

  /** The block that was asked for of a response that the handler gave, or all of it when it fits. */
  first(state: ChannelState, request: RequestLine, response: HandlerResponse): HandlerResponse {
    const asked = request.options.block2;
    const length = response.payload?.length ?? 0;
    const most = asked === undefined ? this.#limits.blockSize : Math.min(this.#limits.blockSize, blockSize(asked.szx));
    if (asked === undefined && length <= most) return response;
    const whole = length <= most ? response : withETag(response);
    if (length > most) this.#transfers.keep(state, transferKey(request), new KeptResponse(whole));
    return this.#slice(whole, asked ?? { num: 0, more: false, szx: blockSzx(most) });
  }

  #slice(whole: HandlerResponse, asked: Block): HandlerResponse {
    const payload = whole.payload ?? NO_BYTES;
    const szx = Math.min(asked.szx, blockSzx(this.#limits.blockSize));
    const size = blockSize(szx);
    const offset = asked.num * blockSize(asked.szx);
    if (offset > 0 && offset >= payload.length) {
      return failure(CoapCode.BadRequest, `block ${asked.num} is past the end`);
    }
    const end = Math.min(offset + size, payload.length);
    const block2: Block = { num: offset / size, more: end < payload.length, szx };
    const options: CoapOptions = { ...whole.options, block2 };
    if (offset === 0) options.size2 = payload.length;
    return { code: whole.code, options, payload: payload.subarray(offset, end) };
  }
}

class KeptResponse implements Transfer {
  constructor(readonly response: HandlerResponse) {}

  get held(): number {
    return this.response.payload?.length ?? 0;
  }
}

/** RFC 7959 s2.4: blocks of different representations must not be mixed; the ETag tells them apart. */
function withETag(response: HandlerResponse): HandlerResponse {
  if (response.options?.eTag !== undefined) return response;
  const hash = createHash('sha256')
    .update(response.payload ?? NO_BYTES)
    .digest();
  return { ...response, options: { ...response.options, eTag: [hash.subarray(0, 8)] } };
}

function transferKey({ code, options }: RequestLine): string {
  const tags = options.requestTag?.map((tag) => tag.toString('hex'));
  return `block2 ${JSON.stringify([code, options.uriPath, options.uriQuery, options.accept, tags])}`;
}
