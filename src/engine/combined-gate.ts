import type { Gate } from '../server';

/** One gate after the other: whoever is refused at one does not come to the next. */
export function combinedGate(...gates: readonly Gate[]): Gate {
  return {
    refusal(endpoint, operation) {
      for (const gate of gates) {
        const refusal = gate.refusal(endpoint, operation);
        if (refusal !== undefined) return refusal;
      }
      return undefined;
    },
    isSuspended: (endpoint) => gates.some((gate) => gate.isSuspended(endpoint)),
  };
}
