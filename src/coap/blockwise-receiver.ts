import type { ChannelState } from './channel-state';
import { CoapCode } from './codes';
import type { CoapMessage } from './message';
import { blockSize, blockSzx } from './options';
import type { Block, CoapOptions } from './options';
import type { CoapLimits } from './parameters';
import type { Transfer, Transfers } from './transfers';
import type { HandlerResponse } from './types';

/** A request whose body is there, or the response to a block of one that is not. */
export type Received =
  | { readonly complete: true; readonly options: CoapOptions; readonly payload: Buffer }
  | { readonly complete: false; readonly response: HandlerResponse };

/** What a peer is asked to wait before it tries again when there is no room, s. */
const RETRY_AFTER = 30;

/** Puts the blocks of peers' requests together (RFC 7959 s2.5), in order; it never holds more than was sent. */
export class BlockwiseReceiver {
  readonly #transfers: Transfers;
  readonly #limits: CoapLimits;

  constructor(transfers: Transfers, limits: CoapLimits) {
    this.#transfers = transfers;
    this.#limits = limits;
  }

  /** Takes one block of the request. */
  receive(state: ChannelState, message: CoapMessage, block: Block): Received {
    const refusal = this.#refusal(message, block);
    const key = transferKey(message);
    const body = this.#transfers.take(state, key);
    if (refusal !== undefined) return { complete: false, response: refusal };

    const offset = block.num * blockSize(block.szx);
    const { payload } = message;
    if (offset === 0) return this.#accept(state, key, new Body(message.options), message, block);
    if (!(body instanceof Body)) return incomplete('the blocks before it are not here');
    if (body.length === offset) return this.#accept(state, key, body, message, block);
    if (block.more && body.length === offset + payload.length) {
      // The last block again, under another message id: its 2.31 was lost.
      return this.#continue(state, key, body, block);
    }
    return incomplete(`the body is here up to byte ${body.length}, not ${offset}`);
  }

  #accept(state: ChannelState, key: string, body: Body, message: CoapMessage, block: Block): Received {
    body.append(message.payload);
    if (block.more) return this.#continue(state, key, body, block);
    const options: CoapOptions = { ...body.options, block1: block };
    delete options.size1;
    // The last block is the one that may say how it wants the response.
    if (message.options.block2 !== undefined) options.block2 = message.options.block2;
    return { complete: true, options, payload: body.bytes };
  }

  #continue(state: ChannelState, key: string, body: Body, block: Block): Received {
    if (!this.#transfers.keep(state, key, body)) {
      return {
        complete: false,
        response: failure(CoapCode.ServiceUnavailable, 'too many transfers', { maxAge: RETRY_AFTER }),
      };
    }
    const szx = Math.min(block.szx, blockSzx(this.#limits.blockSize));
    return { complete: false, response: { code: CoapCode.Continue, options: { block1: { ...block, szx } } } };
  }

  #refusal({ options, payload }: CoapMessage, block: Block): HandlerResponse | undefined {
    if (block.szx === 7) return failure(CoapCode.BadRequest, 'block size exponent 7 is reserved');
    const size = blockSize(block.szx);
    if (block.more ? payload.length !== size : payload.length > size) {
      return failure(CoapCode.BadRequest, `a block of ${payload.length} bytes, not ${size}`);
    }
    const limit = this.#limits.requestBody;
    if (block.num * size + payload.length > limit || (options.size1 ?? 0) > limit) {
      return failure(CoapCode.RequestEntityTooLarge, `at most ${limit} bytes`, { size1: limit });
    }
    return undefined;
  }
}

/** A body that grows by blocks. */
class Body implements Transfer {
  readonly options: CoapOptions;
  length = 0;
  #buffer: Buffer = Buffer.alloc(0);

  constructor(options: CoapOptions) {
    this.options = options;
  }

  get held(): number {
    return this.#buffer.length;
  }

  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.length);
  }

  append(block: Buffer): void {
    const length = this.length + block.length;
    if (length > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(length, this.#buffer.length * 2));
      this.#buffer.copy(larger, 0, 0, this.length);
      this.#buffer = larger;
    }
    block.copy(this.#buffer, this.length);
    this.length = length;
  }
}

/** RFC 7959 s2.5 and RFC 9175 s3.3: the blocks of one body share method, path and Request-Tag; their tokens may differ. */
function transferKey({ code, options }: CoapMessage): string {
  const tags = options.requestTag?.map((tag) => tag.toString('hex'));
  return `block1 ${JSON.stringify([code, options.uriPath, tags])}`;
}

function incomplete(diagnostic: string): Received {
  return { complete: false, response: failure(CoapCode.RequestEntityIncomplete, diagnostic) };
}

/** An error response with a diagnostic payload (RFC 7252 s5.5.2). */
export function failure(code: number, diagnostic: string, options: CoapOptions = {}): HandlerResponse {
  return { code, options, payload: Buffer.from(diagnostic) };
}
