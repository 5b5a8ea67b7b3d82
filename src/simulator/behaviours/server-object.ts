import type { Behaviour, BehaviourContext } from '../behaviour';
import type { ResourceSetup } from '../device-objects';

/** Of the Server object (LwM2M Core 1.1 appendix E.2). */
export const SERVER = { object: 1, instance: 0, lifetime: 1, pmin: 2, pmax: 3, storing: 6, muteSend: 23 } as const;

const SHORT_SERVER_ID = 1;
const ONE_DAY = 86_400;

/** Object 1: lifetime, default periods, Disable, Registration Update Trigger. */
export function serverObject({ objects, lifetime, version, queueMode, actions }: BehaviourContext): Behaviour {
  // From 1.1 on queue mode is not part of it (LwM2M Core 1.1 s6.2.1.2).
  const own = version === '1.0' && queueMode ? 'UQ' : 'U';
  const setups: Record<number, ResourceSetup> = {
    0: { value: SHORT_SERVER_ID },
    1: { value: lifetime, check: notNegative, written: () => actions.update() },
    2: { value: 0, check: notNegative },
    // 0: no maximum.
    3: { value: 0, check: notNegative },
    4: { execute: () => actions.disable(disableTimeout()) },
    5: { value: ONE_DAY, check: notNegative },
    [SERVER.storing]: { value: true },
    7: { value: own, check: (binding) => (binding === own ? undefined : `this device has the binding ${own} only`) },
    8: { execute: () => actions.update() },
  };
  if (version !== '1.0') setups[SERVER.muteSend] = { value: false };
  const server = objects.add(SERVER.object, SERVER.instance, setups);
  const disableTimeout = () => server.get(5)?.number ?? ONE_DAY;
  return {};
}

function notNegative(value: unknown): string | undefined {
  return typeof value === 'number' && value >= 0 ? undefined : 'must not be negative';
}
