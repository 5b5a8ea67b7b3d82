import type { Clock, Timer } from '../util/clock';

export interface AwakeWindowOptions {
  readonly clock: Clock;
  /** ms that the device stays awake after the last word that was said or heard. */
  readonly awakeTime: number;
  /** Something is under way that must not be slept through: then it stays awake for another time. */
  readonly isBusy: () => boolean;
  readonly onEnd: () => void;
}

/** How long a device in queue mode is awake (LwM2M Core 1.1 s6.5): for a time after each exchange. */
export class AwakeWindow {
  readonly #options: AwakeWindowOptions;
  #lastWord = 0;
  #timer: Timer | undefined;

  constructor(options: AwakeWindowOptions) {
    this.#options = options;
  }

  /** Something was said or heard: the time begins anew. Cheap, for it is called for each datagram. */
  extend(): void {
    this.#lastWord = this.#options.clock.monotonic();
    this.#timer ??= this.#arm(this.#options.awakeTime);
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(duration: number): Timer {
    return this.#options.clock.setTimer(() => this.#look(), duration);
  }

  #look(): void {
    const { clock, awakeTime, isBusy, onEnd } = this.#options;
    const left = isBusy() ? awakeTime : this.#lastWord + awakeTime - clock.monotonic();
    this.#timer = left > 0 ? this.#arm(left) : undefined;
    if (left <= 0) onEnd();
  }
}
