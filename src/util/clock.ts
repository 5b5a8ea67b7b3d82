/** Time as the engine sees it, so that tests can run a day in a second. */
export interface Clock {
  /** Milliseconds since 1970, for what people see and what is stored. May jump when the machine's clock is set. */
  now(): number;
  /** Milliseconds that never jump, for timers and deadlines of this process. */
  monotonic(): number;
  /** Runs `callback` once after `delay` ms. The timer does not keep the process alive. */
  setTimer(callback: () => void, delay: number): Timer;
}

/** What ends a timer before its time. */
export interface Timer {
  cancel(): void;
}

/** The time of this machine. Its timers keep no process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer(callback, delay) {
    const timer = setTimeout(callback, delay);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};
