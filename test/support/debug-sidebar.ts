/** One message that a debug node of the flow has shown. */
export interface Shown {
  /** Of the debug node; of a node that reported an error that node's. */
  readonly id: string;
  readonly name: string;
  readonly value: unknown;
  /** The node's own error or warning rather than a message of a debug node. */
  readonly level?: number;
}

interface CommsMessage {
  topic: string;
  data: { id: string; name?: string; msg: unknown; format?: string; level?: number };
}

/** What a running Node-RED sends to the debug sidebar, from when this was opened. */
export class DebugSidebar {
  readonly shown: Shown[] = [];
  private waiting: { fits: (shown: Shown) => boolean; resolve: (shown: Shown) => void }[] = [];

  private constructor(private readonly socket: WebSocket) {
    socket.addEventListener('message', (event) => {
      for (const message of JSON.parse(String(event.data)) as CommsMessage[]) this.receive(message);
    });
  }

  /** @param url the address of the editor. */
  static async open(url: string): Promise<DebugSidebar> {
    const socket = new WebSocket(`${url.replace('http', 'ws')}comms`);
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve, { once: true });
      socket.addEventListener('error', () => reject(new Error('the comms of Node-RED cannot be reached')), {
        once: true,
      });
    });
    const sidebar = new DebugSidebar(socket);
    socket.send(JSON.stringify({ subscribe: 'debug' }));
    return sidebar;
  }

  close(): void {
    this.socket.close();
  }

  /** The next message that fits, of those not yet shown. */
  next(fits: (shown: Shown) => boolean): Promise<Shown> {
    return new Promise((resolve) => this.waiting.push({ fits, resolve }));
  }

  /** The next message of a debug node. */
  async nextOf(id: string): Promise<unknown> {
    return (await this.next((shown) => shown.id === id)).value;
  }

  private receive({ topic, data }: CommsMessage): void {
    if (topic !== 'debug') return;
    const { id, name = '', msg, format, level } = data;
    const shown = { id, name, value: valueOf(msg, format), level };
    this.shown.push(shown);
    const fitting = this.waiting.filter(({ fits }) => fits(shown));
    this.waiting = this.waiting.filter((one) => !fitting.includes(one));
    for (const { resolve } of fitting) resolve(shown);
  }
}

function valueOf(msg: unknown, format = ''): unknown {
  if (typeof msg !== 'string' || format.startsWith('string')) return msg;
  return /^(Object|array|boolean|number|error)/.test(format) ? (JSON.parse(msg) as unknown) : msg;
}
