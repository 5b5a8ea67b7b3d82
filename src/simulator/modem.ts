/** Why a device neither hears nor says anything: without reception, switched off, or asleep to spare its battery. */
export type Silence = 'vanished' | 'absent' | 'asleep';

/** What a modem silences. */
export interface Mutable {
  muted: boolean;
}

/** The modem of a device, which may be silent for several reasons at once. */
export class Modem {
  readonly #reasons = new Set<Silence>();

  constructor(private readonly port: Mutable) {}

  get isOn(): boolean {
    return this.#reasons.size === 0;
  }

  isSilent(reason: Silence): boolean {
    return this.#reasons.has(reason);
  }

  silence(reason: Silence): void {
    this.#reasons.add(reason);
    this.port.muted = true;
  }

  /** That reason holds no longer; another may. */
  end(reason: Silence): void {
    this.#reasons.delete(reason);
    this.port.muted = !this.isOn;
  }
}
