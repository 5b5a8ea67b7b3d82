import type { Behaviour, BehaviourContext, BehaviourFactory } from '../behaviour';
import type { ResourceSetup } from '../device-objects';
import { wholeSeconds } from './ipso-values';

/** What is written on a device's plate. */
export interface DevicePlate {
  readonly manufacturer: string;
  readonly model: string;
  readonly type: string;
  /** Default: mains. */
  readonly power?: PowerSource;
}

/** Resources 6 and 7, and the percent of 9 where there is a battery (LwM2M Core 1.1 appendix E.4). */
interface PowerSource {
  readonly source: number;
  readonly millivolts: number;
  readonly battery?: number;
}

export const MAINS: PowerSource = { source: 6, millivolts: 230_000 };
export const VEHICLE_BATTERY: PowerSource = { source: 2, millivolts: 12_600 };
export const LITHIUM_CELL: PowerSource = { source: 1, millivolts: 3_600, battery: 97 };

const MEMORY_KB = 256;

/** Object 3: who made the device, its clock, restart (LwM2M Core 1.1 appendix E.4). */
export function deviceObject(plate: DevicePlate): BehaviourFactory {
  const { source, millivolts, battery } = plate.power ?? MAINS;
  return ({ objects, clock, endpoint, actions }: BehaviourContext): Behaviour => {
    /** ms that the device's clock is ahead of ours, since somebody set it. */
    let ahead = 0;
    const setups: Record<number, ResourceSetup> = {
      0: { value: plate.manufacturer },
      1: { value: plate.model },
      2: { value: `SN-${endpoint}` },
      3: { value: '1.0.0' },
      4: { execute: () => actions.reboot() },
      6: { value: new Map([[0, source]]) },
      7: { value: new Map([[0, millivolts]]) },
      10: { value: MEMORY_KB / 2 },
      11: { value: new Map([[0, 0]]) },
      12: { execute: () => resetErrors() },
      13: { value: wholeSeconds(clock.now()), written: (time) => setClock(time) },
      14: { value: '+00:00' },
      15: { value: 'Etc/UTC' },
      16: { value: 'U' },
      17: { value: plate.type },
      18: { value: '1' },
      19: { value: '1.0.0' },
      21: { value: MEMORY_KB },
    };
    if (battery !== undefined) setups[9] = { value: battery };
    const device = objects.add(3, 0, setups);
    const resetErrors = () => {
      const errors = device.get(11);
      if (errors) errors.value = new Map([[0, 0]]);
    };
    const setClock = (time: unknown) => {
      if (time instanceof Date) ahead = time.getTime() - clock.now();
    };
    return {
      advance(now) {
        const time = device.get(13);
        if (time) time.value = wholeSeconds(now + ahead);
      },
    };
  };
}
