import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { contentFormatId, decodeContent, encodeContent, type ContentFormatName } from '../../src/content';
import {
  CoapCode,
  CoapStack,
  formatCode,
  type CoapObservation,
  type CoapOptions,
  type CoapResponse,
} from '../../src/coap';
import type { HandlerResponse, IncomingRequest } from '../../src/coap';
import { DtlsTransport, type DtlsCredentials } from '../../src/dtls';
import { formatPath, ObjectDefinitions, parsePath, type Path, type ResourceValue, type Value } from '../../src/model';
import type { TypeLookup } from '../../src/content';
import type { Channel } from '../../src/transport/transport';
import { UdpTransport } from '../../src/transport/udp';
import { systemClock } from '../../src/util/clock';

/** A request that a device made. */
export interface DeviceRequest {
  readonly method: 'register' | 'update' | 'deregister' | 'send';
  readonly channel: Channel;
  readonly query: Readonly<Record<string, string>>;
  readonly location: string;
  readonly payload: Buffer;
  /** RFC 9175 */
  readonly echo?: Buffer;
}

export interface Answer {
  readonly code: string;
  readonly payload: Buffer;
  readonly options: CoapOptions;
}

const definitions = ObjectDefinitions.builtIn();

export const TYPES: TypeLookup = {
  typeOf: (path) => definitions.resource(path)?.type,
  isMultiple: (path) => definitions.resource(path)?.multiple,
};

/**
 * A server that does what the test says. It stands on our own CoAP endpoint, and the devices on node-coap: every test
 * is an interoperability run.
 */
export class ScriptedServer {
  /** What the devices asked for, in order. */
  readonly requests: DeviceRequest[] = [];
  /** Answers a request of a device; the default says yes to everything. */
  respond: (request: DeviceRequest) => HandlerResponse | undefined = () => undefined;
  /** Loses datagrams of the devices. */
  lose: (datagram: Buffer) => boolean = () => false;
  readonly #events = new EventEmitter<{ request: [DeviceRequest] }>().setMaxListeners(0);
  #stack: CoapStack | undefined;
  #udp: UdpTransport | undefined;
  #dtls: DtlsTransport | undefined;
  #port: number | undefined;
  #count = 0;

  /**
   * @param delay runs before each answer
   * @param keys of the identities that may come, all over DTLS
   */
  constructor(private readonly options: { delay?: () => Promise<void>; keys?: ReadonlyMap<string, Buffer> } = {}) {}

  async start(port = 0): Promise<this> {
    const udp = new UdpTransport({ host: '127.0.0.1', port });
    const open = udp.open.bind(udp);
    udp.open = (listener) =>
      open({
        received: (channel, datagram) => {
          if (!this.lose(datagram)) listener.received(channel, datagram);
        },
        closed: (channel) => listener.closed(channel),
        failed: (error) => listener.failed(error),
      });
    const { keys } = this.options;
    if (keys) this.#dtls = new DtlsTransport(udp, { clock: systemClock, instance: 0, credentials: pskOnly(keys) });
    this.#stack = new CoapStack({ clock: systemClock, handler: (request) => this.#delayed(request) });
    await this.#stack.open(this.#dtls ?? udp);
    this.#udp = udp;
    this.#port = udp.localAddress?.port;
    return this;
  }

  async stop(): Promise<void> {
    await this.#stack?.close();
  }

  /** Is gone without a word to anybody, close_notify included. */
  async crash(): Promise<void> {
    await this.#udp?.close();
  }

  get udp(): UdpTransport {
    assert.ok(this.#udp);
    return this.#udp;
  }

  get dtls(): DtlsTransport {
    assert.ok(this.#dtls);
    return this.#dtls;
  }

  /** Also after the end. */
  get port(): number {
    assert.ok(this.#port);
    return this.#port;
  }

  get uri(): string {
    return `${this.options.keys ? 'coaps' : 'coap'}://127.0.0.1:${this.port}`;
  }

  /** The next request of that kind that has not been waited for, also one that came already. */
  async next(method: DeviceRequest['method'], endpoint?: string): Promise<DeviceRequest> {
    const fits = (request: DeviceRequest) =>
      request.method === method && (endpoint === undefined || request.query['ep'] === endpoint);
    for (;;) {
      const index = this.requests.findIndex(fits);
      const [request] = index < 0 ? [] : this.requests.splice(index, 1);
      if (request) return request;
      await once(this.#events, 'request');
    }
  }

  /** @param method such as `GET`; the path as text */
  async ask(
    channel: Channel,
    method: keyof typeof CoapCode,
    path: string,
    more: Ask = {},
    signal?: AbortSignal,
  ): Promise<Answer> {
    assert.ok(this.#stack);
    const response = await this.#stack.request(channel, requestOf(method, path, more), { signal });
    return answerOf(response);
  }

  /** What was observed of a device follows it to its new address. */
  move(from: Channel, to: Channel): void {
    this.#stack?.moveChannel(from, to);
  }

  /** Observes; the notifications come to the inbox. */
  async observe(channel: Channel, method: 'GET' | 'FETCH', path: string, more: Ask = {}): Promise<ObservedPath> {
    assert.ok(this.#stack);
    const inbox = new Inbox();
    const { response, observation } = await this.#stack.observe(channel, requestOf(method, path, more), {
      notified: (each) => inbox.put(answerOf(each)),
      ended: (reason) => inbox.put('code' in reason && typeof reason.code === 'number' ? answerOf(reason) : reason),
    });
    return { first: answerOf(response), observation, inbox };
  }

  #delayed(request: IncomingRequest): HandlerResponse | Promise<HandlerResponse> {
    const { delay } = this.options;
    return delay ? delay().then(() => this.#received(request)) : this.#received(request);
  }

  #received(request: IncomingRequest): HandlerResponse {
    const asked = this.#describe(request);
    this.requests.push(asked);
    const scripted = this.respond(asked);
    // The answer leaves before anybody acts on the request.
    setImmediate(() => this.#events.emit('request', asked));
    if (scripted) return scripted;
    if (asked.method === 'register') {
      this.#count += 1;
      return { code: CoapCode.Created, options: { locationPath: ['rd', String(this.#count)] } };
    }
    return { code: asked.method === 'deregister' ? CoapCode.Deleted : CoapCode.Changed };
  }

  #describe({ channel, code, options, payload }: IncomingRequest): DeviceRequest {
    const path = options.uriPath ?? [];
    const query = Object.fromEntries(
      (options.uriQuery ?? []).map((each) => each.split(/=(.*)/s, 2) as [string, string]),
    );
    const location = `/${path.join('/')}`;
    let method: DeviceRequest['method'] = path.length === 1 ? 'register' : 'update';
    if (path[0] === 'dp') method = 'send';
    else if (code === CoapCode.DELETE) method = 'deregister';
    return { method, channel, query, location, payload, echo: options.echo };
  }
}

function pskOnly(keys: ReadonlyMap<string, Buffer>): DtlsCredentials {
  return {
    psk: (identity) => Promise.resolve(keys.get(identity)),
    serverKey: undefined,
    serverCertificateChain: [],
    trustAnchors: [],
  };
}

export interface Ask {
  readonly accept?: ContentFormatName | number;
  readonly format?: ContentFormatName | number;
  readonly payload?: Buffer | string;
  readonly query?: readonly string[];
}

export interface ObservedPath {
  readonly first: Answer;
  readonly observation: CoapObservation | undefined;
  readonly inbox: Inbox;
}

/** What has arrived, to be waited for one by one. */
export class Inbox {
  readonly #waiting: unknown[] = [];
  readonly #events = new EventEmitter<{ put: [] }>();

  get size(): number {
    return this.#waiting.length;
  }

  put(item: unknown): void {
    this.#waiting.push(item);
    this.#events.emit('put');
  }

  async next(): Promise<Answer> {
    while (this.#waiting.length === 0) await once(this.#events, 'put');
    return this.#waiting.shift() as Answer;
  }
}

function requestOf(method: keyof typeof CoapCode, path: string, { accept, format, payload, query }: Ask) {
  return {
    code: CoapCode[method],
    options: {
      uriPath: path.split('/').filter((segment) => segment !== ''),
      ...(accept !== undefined && { accept: numberOf(accept) }),
      ...(format !== undefined && { contentFormat: numberOf(format) }),
      ...(query && { uriQuery: [...query] }),
    },
    payload: payload === undefined ? Buffer.alloc(0) : Buffer.from(payload),
  };
}

function numberOf(format: ContentFormatName | number): number {
  return typeof format === 'number' ? format : contentFormatId(format);
}

function answerOf({ code, options, payload }: CoapResponse): Answer {
  return { code: formatCode(code), options, payload };
}

/** The values in an answer, by their paths. */
export function valuesOf(answer: Answer, path: string): Record<string, Value> {
  const format = answer.options.contentFormat;
  assert.ok(format !== undefined, `${answer.code} ${answer.payload.toString()} without a content format`);
  const values = decodeContent(format, parsePath(path), answer.payload, TYPES);
  return Object.fromEntries(values.map((each) => [formatPath(each.path), each.value]));
}

export function encode(format: ContentFormatName, path: string, values: Record<string, Value>): Buffer {
  const list: ResourceValue[] = Object.entries(values).map(([key, value]) => ({ path: parsePath(key), value }));
  return encodeContent(contentFormatId(format), parsePath(path), list, TYPES);
}

export function paths(...texts: string[]): Path[] {
  return texts.map(parsePath);
}
