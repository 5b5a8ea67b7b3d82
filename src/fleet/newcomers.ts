import { InvalidArgumentError, Lwm2mError } from '../errors';
import type { NoSecPolicy } from '../server';
import type { Clock } from '../util/clock';
import { describeError, escapeForLog, type Log } from '../util/log';
import type { Device } from './device';
import { endpointOfInput, recordOfInput, type RecordTemplate } from './device-record-input';
import { PendingDevices, type PendingDevice, type PendingDevicesContext } from './pending-devices';

/** s */
const DEFAULT_DURATION = 180;
const MAX_DURATION = 86_400;
const DEFAULT_LIMIT = 1000;
const MAX_LIMIT = 100_000;

/** How newcomers are let in. */
export interface JoinOptions {
  /** For how long, s: 180 when absent, at most a day; 0 ends it. */
  readonly duration?: number;
  /** How many devices may join, then it ends; 1,000 when absent. */
  readonly limit?: number;
  /** What is in the records of those that join. */
  readonly labels?: Readonly<Record<string, unknown>>;
  readonly groups?: readonly string[];
  readonly priority?: string;
  readonly owner?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Who lets them in. */
  readonly user?: string;
}

/** A join window. A fresh object that its reader may change. */
export interface JoinView {
  /** Whether devices may join now. */
  open: boolean;
  /** When it ends, or ended, ms since 1970. */
  until: number;
  limit: number;
  /** The endpoints that joined. */
  joined: string[];
}

export interface NewcomersContext extends Omit<PendingDevicesContext, 'now'> {
  readonly clock: Clock;
  readonly log: Log;
  readonly noSec: NoSecPolicy;
  /** Gives a device without security this record; false: it has got one meanwhile. */
  readonly join: (endpoint: string, template: RecordTemplate, user: string | undefined) => Promise<boolean>;
  /** The device has joined: it has a record now, by who opened the window. */
  readonly joined: (device: Device, user: string | undefined) => void;
}

interface JoinWindow {
  /** By the monotonic clock, ms. */
  readonly ends: number;
  /** ms since 1970 */
  readonly until: number;
  readonly limit: number;
  readonly template: RecordTemplate;
  readonly user: string | undefined;
  /** Let in, and without a record yet. */
  readonly admitted: Set<string>;
  readonly joined: string[];
  isClosed: boolean;
}

/**
 * Devices that nobody has provisioned: who wanted to come, and for how long such devices may. A join window lets them in
 * where only provisioned devices without DTLS are let in, and where they are let in anyway it makes records of them. It
 * never takes a name that has a record with a security. A device with DTLS cannot join: nobody knows its key.
 */
export class Newcomers {
  readonly pending: PendingDevices;
  readonly #context: NewcomersContext;
  #window: JoinWindow | undefined;

  constructor(context: NewcomersContext) {
    this.#context = context;
    this.pending = new PendingDevices({ ...context, now: () => context.clock.now() });
  }

  /**
   * Lets newcomers in for a time; ends what was open before.
   * @throws {InvalidArgumentError} the server lets nobody in without DTLS, or what should be in the records cannot be.
   */
  permitJoin({ duration = DEFAULT_DURATION, limit = DEFAULT_LIMIT, user, ...record }: JoinOptions = {}): JoinView {
    const { clock, log, noSec } = this.#context;
    if (noSec === 'none') {
      throw new InvalidArgumentError('the server lets no device in without DTLS (noSec: none), so none can join');
    }
    if (!(duration >= 0 && duration <= MAX_DURATION)) {
      throw new InvalidArgumentError(`the duration must be 0 to ${MAX_DURATION} s`);
    }
    if (!(Number.isInteger(limit) && limit >= 1 && limit <= MAX_LIMIT)) {
      throw new InvalidArgumentError(`the limit must be a whole number of 1 to ${MAX_LIMIT}`);
    }
    const template = { ...record, security: { mode: 'nosec' } };
    // What cannot be is said now, not when a device joins.
    recordOfInput({ ...template, endpoint: 'newcomer' }, undefined);
    const by = user === undefined ? '' : ` by ${escapeForLog(user)}`;
    if (duration === 0) {
      if (this.#window !== undefined) this.#window.isClosed = true;
      log.info(`no devices may join any more${by}`);
      return this.window ?? { open: false, until: clock.now(), limit, joined: [] };
    }
    log.info(`devices may join for ${duration} s${by}`);
    const ends = clock.monotonic() + duration * 1000;
    const until = clock.now() + duration * 1000;
    this.#window = { ends, until, limit, template, user, admitted: new Set(), joined: [], isClosed: false };
    return viewOf(this.#window, true);
  }

  /** The join window that is open, or was last. */
  get window(): JoinView | undefined {
    return this.#window === undefined ? undefined : viewOf(this.#window, this.#openWindow() !== undefined);
  }

  /** Whether a device without DTLS and without a record may come in now; if so it has taken one of the places. */
  admits(endpoint: string): boolean {
    const window = this.#openWindow();
    if (window === undefined) return false;
    if (window.admitted.has(endpoint)) return true;
    if (window.admitted.size + window.joined.length >= window.limit) return false;
    window.admitted.add(endpoint);
    return true;
  }

  /** A device has registered. */
  registered(device: Device): void {
    const { endpoint, client } = device;
    const identity = client?.registration.identity;
    this.pending.known(endpoint, identity);
    const window = this.#window;
    if (window === undefined || identity?.mode !== 'nosec' || device.identity !== undefined) return;
    if (!window.admitted.has(endpoint) && !this.admits(endpoint)) return;
    this.#join(device, window).catch((error: unknown) => {
      if (!(error instanceof Lwm2mError)) throw error;
      this.#context.log.error(`${escapeForLog(endpoint)} has joined without a record: ${describeError(error)}`);
    });
  }

  /**
   * The record by which a pending device is let in: what is given, and where that names no security, what the device came
   * with.
   * @param input its endpoint, or a record.
   * @throws {InvalidArgumentError} nobody of this name is pending, or a key is needed.
   */
  acceptedInput(input: unknown): Readonly<Record<string, unknown>> {
    const given = typeof input === 'string' ? { endpoint: input } : input;
    const endpoint = endpointOfInput(given);
    const { security, ...record } = given as Readonly<Record<string, unknown>>;
    const pending = this.pending.find(endpoint, pskIdentityOf(security));
    if (pending === undefined) throw new InvalidArgumentError(`no device that wants to be ${endpoint} is pending`);
    return { ...record, security: security ?? this.#securityOf(pending) };
  }

  #securityOf({ endpoint, identity }: PendingDevice): Readonly<Record<string, unknown>> {
    if (identity.mode === 'x509') return { mode: 'x509', name: identity.name };
    if (identity.mode !== 'nosec') throw new InvalidArgumentError(`the key of ${endpoint} must be given`);
    const { noSec } = this.#context;
    if (noSec !== 'provisioned' && noSec !== 'any') {
      throw new InvalidArgumentError(
        `the server would not let ${endpoint} in without DTLS (noSec: ${noSec}): give it a key, or set noSec to provisioned`,
      );
    }
    return { mode: 'nosec' };
  }

  async #join(device: Device, { template, user, admitted, joined }: JoinWindow): Promise<void> {
    const { endpoint } = device;
    const hasJoined = await this.#context.join(endpoint, template, user);
    if (!admitted.delete(endpoint) || !hasJoined) return;
    joined.push(endpoint);
    this.#context.joined(device, user);
  }

  #openWindow(): JoinWindow | undefined {
    const window = this.#window;
    return window !== undefined && isOpen(window, this.#context.clock) ? window : undefined;
  }
}

function isOpen({ isClosed, ends, limit, joined }: JoinWindow, clock: Clock): boolean {
  return !isClosed && joined.length < limit && clock.monotonic() < ends;
}

function viewOf({ until, limit, joined }: JoinWindow, open: boolean): JoinView {
  return { open, until, limit, joined: [...joined] };
}

function pskIdentityOf(security: unknown): string | undefined {
  const identity = typeof security === 'object' && security !== null && 'identity' in security && security.identity;
  return typeof identity === 'string' ? identity : undefined;
}
