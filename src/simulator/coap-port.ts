import { randomInt } from 'node:crypto';
import { CancelledError, TimeoutError, TransportError } from '../errors';
import type { Clock } from '../util/clock';
import { DatagramLink, type Carrier } from './datagram-link';
import {
  MAX_PAYLOAD,
  writeReplyOptions,
  writeRequest,
  type IncomingRequest,
  type Method,
  type OutgoingRequest,
  type Reply,
  type ServerResponse,
} from './coap-messages';
import { ECHO, ReceivedOptions, type BlockOption } from './coap-options';
import {
  createNodeCoapAgent,
  createNodeCoapServer,
  endAsIs,
  type NodeCoapAgent,
  type NodeCoapIncoming,
  type NodeCoapNotifier,
  type NodeCoapOutgoing,
  type NodeCoapServer,
} from './node-coap';
import { NotificationStream } from './notification-stream';

/** Synchronous on purpose: node-coap runs a request again when its duplicate arrives before the answer. */
export type RequestHandler = (request: IncomingRequest) => Reply;

export interface CoapPortOptions {
  readonly carrier: Carrier;
  readonly clock: Clock;
  readonly handler: RequestHandler;
  /** Told of faults that nobody waits for: a handler that threw, a datagram that broke node-coap. */
  readonly onFault: (error: unknown) => void;
  /** Told that something is said or heard. */
  readonly onTraffic?: () => void;
  /** Told that the carrier's session with the server has ended; every open request fails. */
  readonly onLost: (error: TransportError) => void;
}

const METHODS: ReadonlyMap<string, Method> = new Map([
  ['0.01', 'GET'],
  ['0.02', 'POST'],
  ['0.03', 'PUT'],
  ['0.04', 'DELETE'],
  ['0.05', 'FETCH'],
  ['0.06', 'PATCH'],
  ['0.07', 'iPATCH'],
]);

const EMPTY = Buffer.alloc(0);

/** Bytes of answers kept for duplicates. Each costs node-coap several KB of its own, for 247 s. */
const ANSWER_CACHE = 8 * 1024;

const GONE = 'the device went away';

/** Long answers kept while the server fetches their blocks. */
const MAX_SNAPSHOTS = 4;

/**
 * CoAP on one port, as client and as server, towards one peer: the door between simulated devices and node-coap.
 * It keeps the library's faults inside: timers of its own (the library gives up after 247 s), message ids drawn from one
 * source for both roles, block-wise answers and notifications, pings, options that occur twice.
 */
export class CoapPort {
  readonly #link: DatagramLink;
  readonly #server: NodeCoapServer;
  readonly #agent: NodeCoapAgent;
  readonly #options: CoapPortOptions;
  readonly #snapshots = new Map<string, Reply>();
  /** Notifications that wait for their acknowledgement, by message id. */
  readonly #unacknowledged = new Map<number, NotificationStream>();
  /** What ends each request that waits for its answer. */
  readonly #open = new Set<(error: Error) => void>();
  #closed = false;
  #lastMessageId = randomInt(0x10000);

  constructor(options: CoapPortOptions) {
    this.#options = options;
    this.#link = new DatagramLink(options.carrier);
    this.#link.onArrival = (datagram) => this.#watchAcknowledgements(datagram);
    this.#link.onFault = options.onFault;
    if (options.onTraffic) this.#link.onTraffic = options.onTraffic;
    this.#server = createNodeCoapServer(ANSWER_CACHE);
    this.#agent = createNodeCoapAgent(this.#link);
    // Both roles send from one port, so a peer that deduplicates must never see one id of both.
    this.#agent._nextMessageId = () => this.#nextMessageId();
    options.carrier.onLost = (error) => {
      options.onLost(error);
      this.#failAll(error);
    };
    this.#server.on('error', options.onFault);
    this.#agent.on('error', options.onFault);
    this.#server.on('request', (request, response) => this.#received(request, response));
    this.#server.listen(this.#link);
  }

  /** A muted port hears and says nothing. */
  get muted(): boolean {
    return this.#link.muted;
  }

  set muted(muted: boolean) {
    this.#link.muted = muted;
  }

  /**
   * Sends a confirmable request, over a new session if there is none, and waits for the answer; 4.xx and 5.xx are answers
   * too. Repeats it once when the server wants to see that the address is ours (Echo, RFC 9175 s2.3).
   * @param timeout ms, for the answer
   * @throws {TimeoutError} no answer in time, or no session.
   * @throws {TransportError} the datagram could not be sent, the server reset the request or ended the session.
   * @throws {CancelledError} `signal`, or the port was closed.
   */
  async request(request: OutgoingRequest, timeout: number, signal?: AbortSignal): Promise<ServerResponse> {
    await this.#options.carrier.connect(signal);
    const first = await this.#exchange(request, timeout, signal);
    const echo = first.code === '4.01' ? new ReceivedOptions(first.options).bytes(ECHO) : undefined;
    const response = echo === undefined ? first : await this.#exchange(request, timeout, signal, echo);
    const options = new ReceivedOptions(response.options);
    return {
      code: response.code,
      locationPath: options.texts('Location-Path'),
      maxAge: options.number('Max-Age'),
      payload: response.payload,
    };
  }

  /** Whether something that was said waits for its answer. */
  get isBusy(): boolean {
    return this.#open.size > 0 || this.#unacknowledged.size > 0;
  }

  /** Whether there is a session that a new address would end. */
  get hasSession(): boolean {
    return this.#options.carrier.hasSession;
  }

  /** Forgets the session with the server, without a word: the next request makes a new one. */
  reset(): void {
    this.#options.carrier.reset();
  }

  /** Gives up the address, without a word: the next request is made from another, and nothing is heard until then. */
  leave(): void {
    this.#options.carrier.leave();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#failAll(new CancelledError(GONE));
    for (const stream of [...this.#unacknowledged.values()]) stream.forget();
    this.#server.close();
    await this.#link.close();
  }

  #exchange(
    request: OutgoingRequest,
    timeout: number,
    signal: AbortSignal | undefined,
    echo?: Buffer,
  ): Promise<NodeCoapIncoming> {
    const { host, port } = this.#options.carrier.peer;
    return new Promise((resolve, reject) => {
      if (this.#closed || signal?.aborted) return reject(new CancelledError(GONE));
      const outgoing = this.#agent.request({ host, port, method: request.method });
      const settle = () => {
        timer.cancel();
        this.#open.delete(fail);
        signal?.removeEventListener('abort', onAbort);
      };
      const fail = (error: Error) => {
        settle();
        this.#agent.abort(outgoing);
        reject(error);
      };
      const onAbort = () => fail(new CancelledError(GONE));
      const timer = this.#options.clock.setTimer(() => fail(new TimeoutError('the server does not answer')), timeout);
      this.#open.add(fail);
      signal?.addEventListener('abort', onAbort);
      outgoing.on('error', (cause) =>
        fail(new TransportError(`the request could not be sent: ${cause.message}`, { cause })),
      );
      outgoing.on('response', (response) => {
        settle();
        if (response.code === '0.00') reject(new TransportError('the server reset the request'));
        else resolve(response);
      });
      writeRequest(outgoing, request, echo);
    });
  }

  #failAll(error: Error): void {
    for (const fail of [...this.#open]) fail(error);
  }

  #received(request: NodeCoapIncoming, response: NodeCoapOutgoing): void {
    if (request.code === '0.00') {
      // A ping, which the agent answers, or a stray reset. No acknowledgement may follow it.
      if (response._ackTimer) clearTimeout(response._ackTimer);
      return;
    }
    response.on('error', this.#options.onFault);
    const options = new ReceivedOptions(request.options);
    this.#answer(request, options, response, this.#reply(request, options));
  }

  #reply(request: NodeCoapIncoming, options: ReceivedOptions): Reply {
    const method = METHODS.get(request.code);
    if (method === undefined) return { code: '4.05' };
    if (options.unknownCritical !== undefined) {
      return { code: '4.02', payload: Buffer.from(`option ${options.unknownCritical} is not understood`) };
    }
    const block2 = options.block('Block2');
    if (block2 === 'malformed') return { code: '4.02', payload: Buffer.from('malformed Block2') };
    const snapshot = block2 && block2.num > 0 ? this.#snapshots.get(snapshotKey(options)) : undefined;
    if (snapshot) return snapshot;
    try {
      return this.#options.handler({
        method,
        path: options.texts('Uri-Path'),
        query: options.texts('Uri-Query'),
        observe: options.number('Observe'),
        token: request._packet.token?.toString('hex') ?? '',
        contentFormat: options.format('Content-Format'),
        accept: options.format('Accept'),
        payload: request.payload,
      });
    } catch (error) {
      this.#options.onFault(error);
      return { code: '5.00' };
    }
  }

  #answer(request: NodeCoapIncoming, received: ReceivedOptions, response: NodeCoapOutgoing, reply: Reply): void {
    const slice = this.#slice(received, reply);
    response.statusCode = slice.code;
    writeReplyOptions(response, reply, slice.block2);
    const block1 = received.bytes('Block1');
    if (block1) response.setOption('Block1', block1);
    if (!isNotifier(response)) {
      endAsIs(response, slice.payload.length > 0 ? slice.payload : undefined);
    } else if (reply.observed) {
      const stream = new NotificationStream(response, request._packet.token?.toString('hex') ?? '', {
        clock: this.#options.clock,
        nextMessageId: () => this.#nextMessageId(),
        prepare: (notification) => this.#prepareNotification(received, notification),
        unacknowledged: this.#unacknowledged,
      });
      response.write(slice.payload);
      reply.observed(stream);
    } else {
      // Observe was asked for and is not granted: an answer without Observe.
      response._doSend(slice.payload);
    }
  }

  /** The block of the reply that was asked for, or the first one of a long reply (RFC 7959 s2.4). */
  #slice(received: ReceivedOptions, reply: Reply): { code: string; payload: Buffer; block2?: BlockOption } {
    const payload = reply.payload ?? EMPTY;
    const asked = received.block('Block2');
    if (payload.length === 0 || asked === 'malformed' || !reply.code.startsWith('2.')) {
      return { code: reply.code, payload };
    }
    const size = Math.min(asked?.size ?? MAX_PAYLOAD, MAX_PAYLOAD);
    if (asked === undefined && payload.length <= size) return { code: reply.code, payload };
    const num = asked === undefined ? 0 : (asked.num * asked.size) / size;
    const start = num * size;
    if (start >= payload.length) return { code: '4.02', payload: Buffer.from('no such block') };
    const more = start + size < payload.length;
    this.#keepSnapshot(snapshotKey(received), more ? reply : undefined);
    return { code: reply.code, payload: payload.subarray(start, start + size), block2: { num, more, size } };
  }

  #prepareNotification(received: ReceivedOptions, reply: Reply): { payload: Buffer; block2?: BlockOption } {
    const payload = reply.payload ?? EMPTY;
    if (payload.length <= MAX_PAYLOAD) return { payload };
    this.#keepSnapshot(snapshotKey(received), reply);
    return { payload: payload.subarray(0, MAX_PAYLOAD), block2: { num: 0, more: true, size: MAX_PAYLOAD } };
  }

  /** The blocks that follow are cut from the same state as the first. */
  #keepSnapshot(key: string, reply: Reply | undefined): void {
    this.#snapshots.delete(key);
    if (reply === undefined) return;
    this.#snapshots.set(key, { code: reply.code, contentFormat: reply.contentFormat, payload: reply.payload });
    const [oldest] = this.#snapshots.keys();
    if (this.#snapshots.size > MAX_SNAPSHOTS && oldest !== undefined) this.#snapshots.delete(oldest);
  }

  /** node-coap does not tell that a notification was acknowledged or reset, so we look ourselves (RFC 7252 s3). */
  #watchAcknowledgements(datagram: Buffer): void {
    if (this.#unacknowledged.size === 0 || datagram.length < 4 || datagram[1] !== 0) return;
    const type = ((datagram[0] ?? 0) >> 4) & 3;
    const stream = this.#unacknowledged.get(datagram.readUInt16BE(2));
    if (type === 2) stream?.acknowledged();
    else if (type === 3) stream?.ended();
  }

  #nextMessageId(): number {
    this.#lastMessageId = (this.#lastMessageId + 1) & 0xffff;
    return this.#lastMessageId;
  }
}

function snapshotKey(options: ReceivedOptions): string {
  return JSON.stringify([options.texts('Uri-Path'), options.texts('Uri-Query'), options.format('Accept')]);
}

function isNotifier(response: NodeCoapOutgoing): response is NodeCoapNotifier {
  return '_doSend' in response;
}
