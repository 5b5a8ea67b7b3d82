import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { decode, encode, OPTION, textOption, textsOf, uintOf, uintOption, type WireMessage } from './wire';

/** What a device hears, and with `text` what a test compares: `GET /3/0/0`, `PUT /3/0?pmin=1`. */
export interface HeardRequest {
  readonly text: string;
  readonly method: string;
  readonly path: string;
  readonly token: Buffer;
  readonly observe: number | undefined;
  readonly accept: number | undefined;
  readonly contentFormat: number | undefined;
  readonly payload: Buffer;
}

export interface Reply {
  readonly code: string;
  readonly contentFormat?: number;
  readonly observe?: number;
  readonly locationPath?: readonly string[];
  readonly payload?: Buffer | string;
}

export interface RegisterOptions {
  readonly lt?: number;
  readonly version?: string;
  readonly b?: string;
  readonly objects?: string;
  readonly query?: readonly string[];
}

export const FORMAT = { text: 0, link: 40, opaque: 42, senmlJson: 110, senmlCbor: 112, tlv: 11542 } as const;

/** A request may meet a server that is just being replaced, ms. */
const RETRANSMIT = 500;

const METHODS: Readonly<Record<string, string>> = {
  '0.01': 'GET',
  '0.02': 'POST',
  '0.03': 'PUT',
  '0.04': 'DELETE',
  '0.05': 'FETCH',
  '0.07': 'iPATCH',
};
const DEFAULT_OBJECTS = '</1/0>,</3/0>,</3303/0>,</3311/0>';

/** A device of bytes on a UDP socket: answers what the test has told it to, everything else with 4.04. */
export class RawDevice {
  readonly heard: HeardRequest[] = [];
  /** What it answers, by method and path; `undefined` from a function is silence. */
  readonly answers = new Map<string, Reply | ((request: HeardRequest) => Reply | undefined)>();
  location = '';
  #socket: Socket;
  #waiting: (() => void)[] = [];
  readonly #responses = new Map<string, (message: WireMessage) => void>();
  #messageId = Math.floor(Math.random() * 0x10000);

  private constructor(
    readonly endpoint: string,
    socket: Socket,
    private readonly serverPort: number,
    private readonly serverHost: string,
  ) {
    this.#socket = socket;
    this.#listen();
  }

  static async open(endpoint: string, serverPort: number, serverHost = '127.0.0.1'): Promise<RawDevice> {
    return new RawDevice(endpoint, await bound(serverHost), serverPort, serverHost);
  }

  static async registered(endpoint: string, serverPort: number, options: RegisterOptions = {}): Promise<RawDevice> {
    const device = await RawDevice.open(endpoint, serverPort);
    const response = await device.register(options);
    if (response.code !== '2.01') throw new Error(`${endpoint} was answered ${response.code}`);
    return device;
  }

  close(): void {
    this.#socket.close();
  }

  /** From now on it speaks from another port. */
  async move(): Promise<void> {
    this.#socket.close();
    this.#socket = await bound(this.serverHost);
    this.#listen();
  }

  async register(options: RegisterOptions = {}): Promise<WireMessage> {
    const { lt = 300, version = '1.1', b = 'U', objects = DEFAULT_OBJECTS, query = [] } = options;
    const queries = [`ep=${this.endpoint}`, `lt=${lt}`, `lwm2m=${version}`, `b=${b}`, ...query];
    const response = await this.request('0.02', ['rd'], queries, { contentFormat: FORMAT.link, payload: objects });
    this.location = textsOf(response, OPTION.locationPath).join('/') || this.location;
    return response;
  }

  update(queries: readonly string[] = [], echo?: Buffer): Promise<WireMessage> {
    return this.request('0.02', this.location.split('/'), queries, {}, echo);
  }

  deregister(): Promise<WireMessage> {
    return this.request('0.04', this.location.split('/'));
  }

  async request(
    code: string,
    path: readonly string[],
    queries: readonly string[] = [],
    { contentFormat, payload = '' }: Omit<Reply, 'code'> = {},
    echo?: Buffer,
  ): Promise<WireMessage> {
    const messageId = this.#nextId();
    const token = Buffer.from([messageId >> 8, messageId & 0xff, 7]);
    const answered = new Promise<WireMessage>((resolve) => this.#responses.set(token.toString('hex'), resolve));
    const message: WireMessage = {
      type: 'CON',
      code,
      messageId,
      token,
      options: [
        ...textOption(OPTION.uriPath, ...path),
        ...textOption(OPTION.uriQuery, ...queries),
        ...uintOption(OPTION.contentFormat, contentFormat),
        ...(echo === undefined ? [] : [{ number: OPTION.echo, value: echo }]),
      ],
      payload: Buffer.from(payload),
    };
    this.#send(message);
    const again = setInterval(() => this.#send(message), RETRANSMIT);
    return answered.finally(() => clearInterval(again));
  }

  /** A notification of an observation that was heard. */
  notify({ token }: HeardRequest, reply: Reply): void {
    this.#send(this.#message('CON', this.#nextId(), token, reply));
  }

  /** The first request that the test has not taken yet. */
  async next(text?: string): Promise<HeardRequest> {
    for (;;) {
      const index = this.heard.findIndex((request) => text === undefined || request.text === text);
      const [found] = index < 0 ? [] : this.heard.splice(index, 1);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #listen(): void {
    this.#socket.on('message', (bytes) => this.#received(decode(bytes)));
  }

  #received(message: WireMessage): void {
    const method = METHODS[message.code];
    if (method !== undefined) {
      this.#answer(method, message);
      return;
    }
    const token = message.token.toString('hex');
    this.#responses.get(token)?.(message);
    this.#responses.delete(token);
  }

  #answer(method: string, message: WireMessage): void {
    const path = `/${textsOf(message, OPTION.uriPath).join('/')}`;
    const query = textsOf(message, OPTION.uriQuery).join('&');
    const request: HeardRequest = {
      text: `${method} ${path}${query === '' ? '' : `?${query}`}`,
      method,
      path,
      token: message.token,
      observe: uintOf(message, OPTION.observe),
      accept: uintOf(message, OPTION.accept),
      contentFormat: uintOf(message, OPTION.contentFormat),
      payload: message.payload,
    };
    this.heard.push(request);
    const answer = this.answers.get(`${method} ${path}`) ?? { code: '4.04' };
    const reply = typeof answer === 'function' ? answer(request) : answer;
    if (reply !== undefined) this.#send(this.#message('ACK', message.messageId, message.token, reply));
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #message(type: 'ACK' | 'CON', messageId: number, token: Buffer, reply: Reply): WireMessage {
    const { code, contentFormat, observe, locationPath = [], payload = '' } = reply;
    return {
      type,
      code,
      messageId,
      token,
      options: [
        ...uintOption(OPTION.observe, observe),
        ...textOption(OPTION.locationPath, ...locationPath),
        ...uintOption(OPTION.contentFormat, contentFormat),
      ],
      payload: Buffer.from(payload),
    };
  }

  #nextId(): number {
    this.#messageId = (this.#messageId + 1) & 0xffff;
    return this.#messageId;
  }

  #send(message: WireMessage): void {
    this.#socket.send(encode(message), this.serverPort, this.serverHost);
  }
}

async function bound(host: string): Promise<Socket> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  socket.bind(0, host.includes(':') ? '::1' : '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}
