import type { Clock, Timer } from '../util/clock';
import { AwakeWindow } from './awake-window';
import type { CoapPort } from './coap-port';
import { Modem } from './modem';
import type { Registration } from './registration';

/** A modem that loses its network now and then: for a time, without good-bye, and back from another address. */
export interface Vanishing {
  /** s from one disappearance to the next. */
  readonly every: number;
  /** s until it is back. */
  readonly duration: number;
}

export interface PresenceOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly port: CoapPort;
  /** ms; without it the device never sleeps. */
  readonly awakeTime?: number;
  readonly vanishing?: Vanishing;
  readonly onEvent: (event: 'awake' | 'asleep' | 'vanished' | 'returned') => void;
}

/** Whether a device can be reached: it may be asleep (queue mode), away, or without reception. */
export class Presence {
  readonly modem: Modem;
  readonly #options: PresenceOptions;
  readonly #window: AwakeWindow | undefined;
  /** When the modem vanishes or returns next. */
  #change: Timer | undefined;
  #registration: Registration | undefined;
  /** Whether the server does not know its address yet. */
  #elsewhere = false;

  constructor(options: PresenceOptions) {
    const { clock, port, awakeTime } = options;
    this.#options = options;
    this.modem = new Modem(port);
    if (awakeTime === undefined) return;
    const isBusy = () => port.isBusy;
    this.#window = new AwakeWindow({ clock, awakeTime, isBusy, onEnd: () => this.#sleep() });
  }

  /** Its registration feels when the device vanishes and returns. */
  begin(registration: Registration): void {
    this.#registration = registration;
    const { vanishing, random } = this.#options;
    if (vanishing) this.#vanishIn(vanishing.every * (0.5 + 0.5 * random()));
  }

  /** Whether something can be said; `after-update`: once the server was told that the device is awake, and where. */
  get reach(): 'open' | 'after-update' | 'closed' {
    const { modem } = this;
    if (modem.isSilent('vanished') || modem.isSilent('absent')) return 'closed';
    return modem.isOn && !this.#elsewhere ? 'open' : 'after-update';
  }

  /** The server was told. */
  announced(): void {
    this.#elsewhere = false;
  }

  /** Something was said or heard. */
  traffic(): void {
    this.#window?.extend();
  }

  /** Something is to be said. */
  wake(): void {
    if (!this.modem.isSilent('asleep')) return;
    this.modem.end('asleep');
    this.#window?.extend();
    this.#options.onEvent('awake');
  }

  /** @param seconds after which it returns by itself, from another address; without them it waits for `comeBack` */
  vanish(seconds?: number): void {
    this.#change?.cancel();
    if (!this.modem.isSilent('vanished')) {
      this.#registration?.vanish();
      this.#options.onEvent('vanished');
    }
    const { clock } = this.#options;
    this.#change = seconds === undefined ? undefined : clock.setTimer(() => this.comeBack(true), seconds * 1000);
  }

  comeBack(elsewhere: boolean): void {
    if (!this.modem.isSilent('vanished')) return;
    this.#change?.cancel();
    const { port, vanishing, onEvent } = this.#options;
    if (elsewhere) this.#leave();
    this.#registration?.comeBack(elsewhere && port.hasSession);
    if (vanishing) this.#vanishIn(vanishing.every - vanishing.duration);
    onEvent('returned');
  }

  close(): void {
    this.#change?.cancel();
    this.#change = undefined;
    this.#window?.close();
  }

  #vanishIn(seconds: number): void {
    const { clock, vanishing } = this.#options;
    this.#change = clock.setTimer(() => this.vanish(vanishing?.duration), seconds * 1000);
  }

  #sleep(): void {
    // A device that is away sleeps already; one that nobody has registered yet is still trying.
    if (this.reach !== 'open' || !this.#registration?.registered) return;
    const { port, onEvent } = this.#options;
    this.modem.silence('asleep');
    // Whoever keeps a way open for it forgets it soon, so that it wakes at another address. A DTLS session is kept.
    if (!port.hasSession) this.#leave();
    onEvent('asleep');
  }

  #leave(): void {
    this.#options.port.leave();
    this.#elsewhere = true;
  }
}
