import type { Value } from '../model';
import type { Clock, Timer } from '../util/clock';
import type { Device } from './device';
import { isInstances, type Held, type HeldValue, type ReportedCommand } from './device-values';

/** How long a device may differ from its command before it is said, ms. */
const DEFAULT_GRACE = 10_000;
/** Devices that tell the time tell it in seconds: what was reported in the second of the command may be after it, ms. */
const RESOLUTION = 1000;
/** Decimal digits of a single precision number: one that went through a device may differ in more. */
const TOLERANCE = 1e-6;
/** How many are looked at in one turn of the timer. */
const AT_ONCE = 1000;

/** Resources that go on by themselves from what is written to them: Cumulative Time, On Time. */
const COUNTERS: ReadonlySet<string> = new Set(['5544', '5852']);

export interface MismatchesContext {
  readonly clock: Clock;
  /** ms; 10 s when absent. */
  readonly grace?: number;
  /** A device is not (`mismatch`), or is again (`matched`), as it was commanded to be. */
  readonly say: (topic: MismatchTopic, device: Device, command: ReportedCommand) => void;
}

export type MismatchTopic = 'mismatch' | 'matched';

interface Differing {
  readonly device: Device;
  readonly command: ReportedCommand;
  /** The command that it differs from. */
  readonly commandedAt: number;
  /** By the monotonic clock, ms. */
  readonly due: number;
}

/**
 * Devices that report something else than what they were commanded and have accepted. It is said once a command, when it
 * has lasted for the grace: a light that dims slowly, and a notification that was on its way, are no mismatch. And it is
 * said when they match again.
 */
export class Mismatches {
  readonly #context: MismatchesContext;
  readonly #grace: number;
  /** Since all have the same grace, in the order in which they are due. */
  readonly #differing = new Map<HeldValue, Differing>();
  #timer: Timer | undefined;

  constructor(context: MismatchesContext) {
    this.#context = context;
    this.#grace = context.grace ?? DEFAULT_GRACE;
  }

  /** A device has reported values of resources that it was commanded before. */
  reported(device: Device, commands: readonly ReportedCommand[]): void {
    for (const command of commands) this.#judge(device, command);
  }

  /** A device has accepted these commands; it may have reported them already. */
  commanded(device: Device, commands: readonly ReportedCommand[]): void {
    for (const command of commands) {
      this.#differing.delete(command.held);
      this.#judge(device, command);
    }
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#differing.clear();
  }

  #judge(device: Device, command: ReportedCommand): void {
    const { held, path } = command;
    const { commanded, reported } = held;
    if (commanded === undefined || reported === undefined || isCounter(path)) return;
    const agrees = isSame(commanded.value, reported.value);
    if (agrees === undefined) return;
    if (agrees) {
      this.#differing.delete(held);
      if (held.mismatchOf === undefined || reported.at < commanded.at - RESOLUTION) return;
      held.mismatchOf = undefined;
      this.#context.say('matched', device, command);
    } else if (reported.at >= commanded.at && held.mismatchOf !== commanded.at && !this.#differing.has(held)) {
      const due = this.#context.clock.monotonic() + this.#grace;
      this.#differing.set(held, { device, command, commandedAt: commanded.at, due });
      this.#setTimer(this.#grace);
    }
  }

  #setTimer(delay: number): void {
    this.#timer ??= this.#context.clock.setTimer(() => this.#check(), delay);
  }

  /** Says those that are due. What agrees since, or was commanded anew, is not among them any more. */
  #check(): void {
    this.#timer = undefined;
    const now = this.#context.clock.monotonic();
    let looked = 0;
    for (const [held, { device, command, commandedAt, due }] of this.#differing) {
      if (due > now || looked === AT_ONCE) {
        this.#setTimer(Math.max(0, due - now));
        return;
      }
      looked += 1;
      this.#differing.delete(held);
      held.mismatchOf = commandedAt;
      this.#context.say('mismatch', device, command);
    }
  }
}

function isCounter(path: string): boolean {
  return COUNTERS.has(path.slice(path.lastIndexOf('/') + 1));
}

/** `undefined`: they cannot be compared. Of a multiple resource the instances that were commanded count. */
function isSame(commanded: Held, reported: Held): boolean | undefined {
  if (!isInstances(commanded)) return isInstances(reported) ? undefined : isSameValue(commanded, reported);
  if (!isInstances(reported)) return undefined;
  let verdict: boolean | undefined;
  for (const [instance, value] of Object.entries(commanded.instances)) {
    const told = reported.instances[Number(instance)];
    const same = told === undefined ? undefined : isSameValue(value, told);
    if (same === false) return false;
    verdict ??= same;
  }
  return verdict;
}

function isSameValue(commanded: Value, reported: Value): boolean | undefined {
  // A clock that was set goes on.
  if (commanded instanceof Date || reported instanceof Date) return undefined;
  if (commanded instanceof Uint8Array && reported instanceof Uint8Array)
    return Buffer.compare(commanded, reported) === 0;
  if (typeof commanded === 'number' && typeof reported === 'number') {
    return Math.abs(commanded - reported) <= TOLERANCE * Math.max(Math.abs(commanded), Math.abs(reported));
  }
  // A number and a BigInt.
  // eslint-disable-next-line eqeqeq
  return typeof commanded === 'bigint' || typeof reported === 'bigint' ? commanded == reported : commanded === reported;
}
