import type { Node, NodeAPI, NodeStatus } from 'node-red';
import { Lwm2mError, ResponseError, StoreError, type Connectivity, type Summary } from '../../src/index';
import type { EngineHost, ServerState } from '../lwm2m-server/engine-host';
import { ageOf, timeLeft } from './age';
import { findHost, hasWrongSettings } from './server-node';

type Look = Pick<NodeStatus, 'fill' | 'shape'>;

const GREEN: Look = { fill: 'green', shape: 'dot' };
const RED_DOT: Look = { fill: 'red', shape: 'dot' };
const RED_RING: Look = { fill: 'red', shape: 'ring' };
const YELLOW_DOT: Look = { fill: 'yellow', shape: 'dot' };
const YELLOW_RING: Look = { fill: 'yellow', shape: 'ring' };
const BLUE_RING: Look = { fill: 'blue', shape: 'ring' };
const BLUE_DOT: Look = { fill: 'blue', shape: 'dot' };
const GREY_RING: Look = { fill: 'grey', shape: 'ring' };

/** The longest text that a value may take, so that with its age it stays under 20 characters. */
const VALUE_LENGTH = 10;

/** How often the time that is left is looked at again, ms. */
const COUNTDOWN = 10_000;

/** A status is sent to every open editor: at most one in this many ms. */
const INTERVAL = 250;

/** The status of a node that is being made, and what ends it when the node closes. */
export function startStatus(
  RED: NodeAPI,
  node: Node,
  serverId: string | undefined,
  endpoint?: string,
): { readonly status: StatusLine; readonly end: () => void } {
  const status = new StatusLine(RED, node);
  const host = findHost(RED, serverId);
  const unfollow =
    host === undefined ? status.noServer(hasWrongSettings(RED, serverId)) : status.follow(host, endpoint);
  return {
    status,
    end: () => {
      unfollow();
      status.close();
    },
  };
}

interface Outcome {
  readonly look: Look;
  readonly text: string;
  readonly at: number;
}

/**
 * The status of one node: what is most worth knowing of the server, the orders under way, the device it is set to, and
 * the last outcome with its age.
 */
export class StatusLine {
  readonly #RED: NodeAPI;
  readonly #node: Node;
  #server: ServerState | undefined;
  #connectivity: Connectivity | undefined;
  #underWay = 0;
  #queued = false;
  #outcome: Outcome | undefined;
  #base: (() => { status: NodeStatus; lasts?: number }) | undefined;
  #shown = '';
  #lastRender = -Infinity;
  #timer: NodeJS.Timeout | undefined;

  constructor(RED: NodeAPI, node: Node) {
    this.#RED = RED;
    this.#node = node;
  }

  /** Shows how the server is and, of a node set to one device, how that is. Returns what ends it. */
  follow(host: EngineHost, endpoint?: string): () => void {
    const readDevice = (): void => {
      if (endpoint === undefined) return;
      this.#connectivity = host.engine.devices({ endpoint })[0]?.connectivity ?? 'offline';
    };
    const ends = [
      host.watch((state) => {
        this.#server = state;
        readDevice();
        this.#render();
      }),
    ];
    if (endpoint !== undefined) {
      const changed = (): void => {
        readDevice();
        this.#render();
      };
      ends.push(host.devices.listenTo(endpoint, changed));
    }
    return () => ends.forEach((end) => end());
  }

  /** The node uses no server that is deployed, or one that cannot start as it is set. */
  noServer(hasWrongSettings: boolean): () => void {
    this.#node.status({ ...RED_RING, text: hasWrongSettings ? this.#text('wrongSettings') : this.#text('noServer') });
    return () => undefined;
  }

  underWay(count: number): void {
    this.#underWay = count;
    if (count === 0) this.#queued = false;
    this.#render();
  }

  /** Something under way waits for a sleeping device. */
  queued(): void {
    this.#queued = true;
    this.#render();
  }

  value(payload: unknown): void {
    this.#setOutcome(GREEN, this.#textOfValue(payload));
  }

  note(text: string): void {
    this.#setOutcome(GREEN, cut(text, 20));
  }

  devices(number: number): void {
    this.#setOutcome(GREEN, this.#text(number === 1 ? 'device' : 'devices', { number }));
  }

  /** How many simulated devices are registered; asked for only when it is shown. */
  simulated(simulation: { readonly counts: { readonly total: number; readonly registered: number } }): void {
    this.#base = () => {
      const { total, registered } = simulation.counts;
      const look = registered === total ? GREEN : registered === 0 ? GREY_RING : YELLOW_DOT;
      return { status: { ...look, text: this.#text('simulated', { registered, total }) } };
    };
    this.#render();
  }

  /** How many devices are away, and when the first may be back (ms since 1970); asked for only when it is shown. */
  away(read: () => { readonly count: number; readonly nextBackAt?: number }): void {
    this.#outcome = undefined;
    this.#base = () => {
      const { count: number, nextBackAt } = read();
      if (number === 0) return { status: { ...GREEN, text: this.#text('allBack') } };
      const { key, count } = timeLeft((nextBackAt ?? 0) - Date.now());
      const text = `${this.#text('away', { number })} · ${this.#text(`age.${key}`, { number: count })}`;
      return { status: { ...BLUE_RING, text }, lasts: COUNTDOWN };
    };
    this.#render();
  }

  failed(error: Error): void {
    this.#setOutcome(RED_DOT, this.#textOfError(error));
  }

  summary({ total, succeeded, failed, expired }: Summary): void {
    const look = failed + expired === 0 ? GREEN : succeeded === 0 ? RED_DOT : YELLOW_DOT;
    this.#setOutcome(look, this.#text('members', { succeeded, total }));
  }

  /** Some observations fail. */
  observed({ observing, devices }: { readonly observing: number; readonly devices: number }): void {
    this.#setOutcome(observing === 0 ? RED_DOT : YELLOW_DOT, this.#text('observed', { observing, devices }));
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #setOutcome(look: Look, text: string): void {
    this.#outcome = { look, text, at: Date.now() };
    this.#render();
  }

  /** Now, or when the last one is old enough. */
  #render(): void {
    clearTimeout(this.#timer);
    const wait = this.#lastRender + INTERVAL - performance.now();
    if (wait > 0) this.#again(wait);
    else this.#show();
  }

  #show(): void {
    const { status, lasts } = this.#status();
    if (lasts !== undefined) this.#again(lasts);
    const shown = JSON.stringify(status);
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#lastRender = performance.now();
    this.#node.status(status);
  }

  #again(delay: number): void {
    this.#timer = setTimeout(() => this.#show(), delay);
    this.#timer.unref();
  }

  #status(): { status: NodeStatus; lasts?: number } {
    const server = this.#serverStatus();
    if (server !== undefined) return { status: server };
    if (this.#underWay > 0) {
      const key = this.#queued ? 'waiting' : 'sending';
      const text = this.#underWay === 1 ? this.#text(key) : `${this.#text(key)}: ${this.#underWay}`;
      return { status: { ...(this.#queued ? YELLOW_RING : BLUE_DOT), text } };
    }
    if (this.#connectivity === 'offline') return { status: { ...GREY_RING, text: this.#text('offline') } };
    if (this.#outcome !== undefined) return this.#outcomeStatus(this.#outcome);
    if (this.#base !== undefined) return this.#base();
    if (this.#connectivity === undefined) return { status: {} };
    const look: Look = this.#connectivity === 'online' ? GREEN : YELLOW_RING;
    return { status: { ...look, text: this.#text(this.#connectivity) } };
  }

  #serverStatus(): NodeStatus | undefined {
    switch (this.#server?.state) {
      case 'failed': {
        return { ...RED_RING, text: this.#textOfFailure(this.#server) };
      }
      case 'starting':
        return { ...YELLOW_RING, text: this.#text('starting') };
      case 'closed':
        return { ...GREY_RING, text: this.#text('serverClosed') };
      case 'running':
      case undefined:
        return undefined;
    }
  }

  #outcomeStatus({ look, text, at }: Outcome): { status: NodeStatus; lasts?: number } {
    // A long text leaves no room for its age.
    if (text.length > VALUE_LENGTH) return { status: { ...look, text } };
    const { key, count, lasts } = ageOf(Date.now() - at);
    return { status: { ...look, text: `${text} · ${this.#text(`age.${key}`, { number: count })}` }, lasts };
  }

  #text(key: string, values?: Record<string, string | number>): string {
    return this.#RED._(`status.${key}`, values);
  }

  #textOfFailure({ error, takenPort: port }: ServerState & { state: 'failed' }): string {
    if (error instanceof StoreError) return this.#text(`store.${error.fault ?? 'other'}`);
    return port ? this.#text('portTaken', { port }) : this.#text('serverFailed');
  }

  #textOfError(error: Error): string {
    if (error instanceof ResponseError) return error.responseCode;
    return error instanceof Lwm2mError ? this.#text(`error.${error.code}`) : cut(error.name, 19);
  }

  #textOfValue(payload: unknown): string {
    if (Buffer.isBuffer(payload)) return this.#text('bytes', { number: payload.length });
    if (payload instanceof Date) return payload.toISOString().slice(0, 10);
    switch (typeof payload) {
      case 'string':
      case 'boolean':
      case 'bigint':
        return cut(String(payload), VALUE_LENGTH);
      case 'number':
        // A number cut in the middle would be another number.
        return String(payload).length > VALUE_LENGTH ? payload.toPrecision(5) : String(payload);
      default:
        return this.#text('done');
    }
  }
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}
