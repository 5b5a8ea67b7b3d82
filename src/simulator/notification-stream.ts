import type { Clock, Timer } from '../util/clock';
import { writeReplyOptions, type Reply } from './coap-messages';
import type { BlockOption } from './coap-options';
import type { NodeCoapNotifier } from './node-coap';

/** What the port does for the streams of its observations. */
export interface NotificationContext {
  readonly clock: Clock;
  nextMessageId(): number;
  prepare(notification: Reply): { payload: Buffer; block2?: BlockOption };
  /** Streams whose last notification waits for its acknowledgement, by message id. */
  readonly unacknowledged: Map<number, NotificationStream>;
}

/** ms within which a notification is repeated (MAX_TRANSMIT_SPAN, RFC 7252 s4.8.2). */
const TRANSMIT_SPAN = 45_000;

/** The notifications of one observation (RFC 7641), confirmable, one on the way at a time. */
export class NotificationStream {
  /** The server reset a notification. Said once. */
  onEnd: () => void = () => undefined;
  /** The last notification was repeated in vain. The next may be sent. */
  onLost: () => void = () => undefined;
  /** The last notification has arrived; the next may be sent. */
  onIdle: () => void = () => undefined;
  readonly #response: NodeCoapNotifier;
  readonly #context: NotificationContext;
  readonly #end: () => void;
  #pendingId: number | undefined;
  #pendingEnd: Timer | undefined;
  #over = false;

  constructor(
    response: NodeCoapNotifier,
    /** In hex. */
    readonly token: string,
    context: NotificationContext,
  ) {
    this.#response = response;
    this.#context = context;
    // node-coap ends the stream 247 s after a notification that nobody acknowledged. A device without reception goes on
    // observing instead, and tells what it has missed to tell (Notification Storing, LwM2M Core 1.1 appendix E.2).
    const end = response.end.bind(response);
    this.#end = () => end();
    response.end = () => undefined;
  }

  /** Whether a notification is on its way; another one must wait (RFC 7641 s4.5.1). */
  get busy(): boolean {
    return this.#pendingId !== undefined;
  }

  notify(notification: Reply): void {
    if (this.#over) return;
    const { payload, block2 } = this.#context.prepare(notification);
    this.#stamp(notification.code);
    writeReplyOptions(this.#response, notification, block2);
    this.#response.write(payload);
  }

  /** Ends the observation with an error, which carries no Observe option (RFC 7641 s4.2). */
  fail(code: string): void {
    if (this.#over) return;
    this.#stamp(code);
    for (const name of ['Observe', 'Content-Format', 'Block2', 'ETag']) this.#response.setOption(name, []);
    this.#response._doSend(Buffer.alloc(0));
    this.forget();
  }

  /** Ends the observation without a word. */
  forget(): void {
    if (this.#over) return;
    this.#over = true;
    this.#settle();
    this.#end();
  }

  /** The port saw the acknowledgement. */
  acknowledged(): void {
    this.#settle();
    if (!this.#over) this.onIdle();
  }

  /** It is known that the last notification did not arrive; nothing happens when none is on its way. */
  lost(): void {
    if (this.#pendingId === undefined) return;
    this.#settle();
    if (!this.#over) this.onLost();
  }

  /** The port saw a reset. */
  ended(): void {
    if (this.#over) return;
    this.forget();
    this.onEnd();
  }

  /** Fixes what node-coap gets wrong: its ids are shared by all devices, and a NON observation is notified by ACKs. */
  #stamp(code: string): void {
    this.#settle();
    const packet = this.#response._packet;
    this.#pendingId = this.#context.nextMessageId();
    this.#context.unacknowledged.set(this.#pendingId, this);
    this.#pendingEnd = this.#context.clock.setTimer(() => this.lost(), TRANSMIT_SPAN);
    packet.messageId = this.#pendingId;
    packet.confirmable = true;
    packet.ack = false;
    this.#response.statusCode = code;
  }

  #settle(): void {
    if (this.#pendingId === undefined) return;
    this.#context.unacknowledged.delete(this.#pendingId);
    this.#pendingId = undefined;
    this.#pendingEnd?.cancel();
  }
}
