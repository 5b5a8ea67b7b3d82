/** Why a device that may act as its endpoint is put off all the same, and for how long. */
export interface GateRefusal {
  readonly reason: 'suspended' | 'overload';
  /** When it may come again, s (Max-Age of the 5.03). */
  readonly maxAge: number;
}

/** Whom the server lets in at the moment. Asked for every Register and Update, so it answers from memory. */
export interface Gate {
  /** Asked of a peer that may act as the endpoint. @returns `undefined`: it may come in. */
  refusal(endpoint: string, operation: 'register' | 'update'): GateRefusal | undefined;
  /** Whether orders for the endpoint wait, registered or not, until it is let in again. */
  isSuspended(endpoint: string): boolean;
}

/** Everybody may come in. */
export const OPEN_GATE: Gate = { refusal: () => undefined, isSuspended: () => false };
