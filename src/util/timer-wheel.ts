import type { Clock, Timer } from './clock';

/** A timer of the wheel. */
export interface WheelTimer {
  /** Cancels it; nothing happens when it has run or was cancelled before. */
  cancel(): void;
}

/** A power of two, so that a tick's slot is a mask away. */
const SLOTS = 512;

/**
 * Thousands of timers over one timer of the clock, each scheduled and cancelled in constant time
 * (a hashed wheel: Varghese and Lauck, scheme 6). A timer runs at the first tick that is not before its delay.
 */
export class TimerWheel {
  readonly #clock: Clock;
  readonly #tick: number;
  readonly #start: number;
  readonly #slots: Slot[] = Array.from({ length: SLOTS }, () => new Slot());
  /** All ticks up to this one have run. */
  #done = 0;
  #count = 0;
  #alarm: Timer | undefined;
  #alarmTick = Infinity;
  #closed = false;

  /** @param tick the wheel's grain in ms */
  constructor(clock: Clock, tick = 100) {
    this.#clock = clock;
    this.#tick = tick;
    this.#start = clock.monotonic();
  }

  /** The number of timers that wait. */
  get size(): number {
    return this.#count;
  }

  /** Runs `callback` once, `delayMs` from now or up to a tick later. A closed wheel runs nothing. */
  schedule(delayMs: number, callback: () => void): WheelTimer {
    const now = this.#clock.monotonic() - this.#start;
    // An idle wheel has not counted; bring it up to now, so that the new timer is not taken for one long due.
    if (this.#count === 0) this.#done = Math.floor(now / this.#tick);
    const dueTick = Math.max(Math.ceil((now + delayMs) / this.#tick), this.#done + 1);
    const entry = new Entry(this, dueTick, callback);
    if (this.#closed) return entry;
    this.#slot(dueTick).add(entry);
    this.#count += 1;
    if (dueTick < this.#alarmTick) this.#setAlarm(dueTick, now);
    return entry;
  }

  /** Drops all timers without running them. */
  close(): void {
    this.#closed = true;
    this.#alarm?.cancel();
    this.#alarm = undefined;
    for (const slot of this.#slots) slot.clear();
    this.#count = 0;
  }

  /** An entry took itself out. The alarm stays: waking once for nothing is cheaper than setting it anew each time. */
  cancelled(): void {
    this.#count -= 1;
  }

  #slot(tick: number): Slot {
    return this.#slots[tick & (SLOTS - 1)] as Slot;
  }

  #setAlarm(tick: number, now: number): void {
    this.#alarm?.cancel();
    this.#alarmTick = tick;
    this.#alarm = this.#clock.setTimer(() => this.#wake(), Math.max(tick * this.#tick - now, 0));
  }

  #wake(): void {
    this.#alarm = undefined;
    this.#alarmTick = Infinity;
    const nowTick = Math.floor((this.#clock.monotonic() - this.#start) / this.#tick);
    while (this.#done < nowTick && this.#count > 0) {
      this.#done += 1;
      this.#run(this.#done);
    }
    this.#done = Math.max(this.#done, nowTick);
    if (this.#count > 0) this.#wakeAtNext();
  }

  #run(tick: number): void {
    // First apart, then run: a callback may schedule and cancel as it likes.
    const due = this.#slot(tick).splitDue(tick);
    for (let entry = due.takeFirst(); entry !== undefined; entry = due.takeFirst()) {
      this.#count -= 1;
      entry.callback();
    }
  }

  /** Sets the alarm for the next slot that holds anything; it may hold only timers of a later turn of the wheel. */
  #wakeAtNext(): void {
    for (let tick = this.#done + 1; tick <= this.#done + SLOTS; tick += 1) {
      if (this.#slot(tick).isEmpty) continue;
      if (tick < this.#alarmTick) this.#setAlarm(tick, this.#clock.monotonic() - this.#start);
      return;
    }
  }
}

/** One timer, a link of its slot's ring. */
class Entry implements WheelTimer {
  slot: Slot | undefined;
  previous: Entry | undefined;
  next: Entry | undefined;

  constructor(
    readonly wheel: TimerWheel,
    readonly dueTick: number,
    readonly callback: () => void,
  ) {}

  cancel(): void {
    if (this.slot === undefined) return;
    this.slot.remove(this);
    this.wheel.cancelled();
  }
}

/** The timers of one slot, in the order they were scheduled. */
class Slot {
  #first: Entry | undefined;
  #last: Entry | undefined;

  get isEmpty(): boolean {
    return this.#first === undefined;
  }

  add(entry: Entry): void {
    entry.slot = this;
    entry.previous = this.#last;
    if (this.#last === undefined) this.#first = entry;
    else this.#last.next = entry;
    this.#last = entry;
  }

  remove(entry: Entry): void {
    if (entry.previous === undefined) this.#first = entry.next;
    else entry.previous.next = entry.next;
    if (entry.next === undefined) this.#last = entry.previous;
    else entry.next.previous = entry.previous;
    entry.slot = undefined;
    entry.previous = undefined;
    entry.next = undefined;
  }

  takeFirst(): Entry | undefined {
    const entry = this.#first;
    if (entry !== undefined) this.remove(entry);
    return entry;
  }

  /** Moves the timers that are due at this tick or before into a slot of their own. */
  splitDue(tick: number): Slot {
    const due = new Slot();
    let entry = this.#first;
    while (entry !== undefined) {
      const next = entry.next;
      if (entry.dueTick <= tick) {
        this.remove(entry);
        due.add(entry);
      }
      entry = next;
    }
    return due;
  }

  clear(): void {
    while (this.#first !== undefined) this.remove(this.#first);
  }
}
