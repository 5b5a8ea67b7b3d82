import assert from 'node:assert/strict';
import type { Value } from '../../src/model';
import { parsePath } from '../../src/model';
import { SimulatedDevice, type SimulatedDeviceOptions } from '../../src/simulator';
import type { BehaviourFactory } from '../../src/simulator/behaviour';
import { SimulatedClock } from '../support/simulated-clock';

/** A device without a network: its objects and the time. */
export interface Life {
  readonly clock: SimulatedClock;
  readonly device: SimulatedDevice;
  /** What is there now. */
  read(path: string): Value | undefined;
  number(path: string): number;
  /** As a Write does it. */
  write(path: string, value: Value): void;
  /** Why a Write is refused; undefined when it is not. */
  refusal(path: string, value: Value): string | undefined;
  execute(path: string): void;
}

export function live(behaviours: readonly BehaviourFactory[], options: Partial<SimulatedDeviceOptions> = {}): Life {
  const clock = new SimulatedClock(Date.UTC(2030, 6, 1, 12));
  const device = new SimulatedDevice({
    endpoint: 'device-1',
    serverUri: 'coap://127.0.0.1',
    behaviours,
    clock,
    seed: 7,
    ...options,
  });
  const resource = (path: string) => device.objects.resource(parsePath(path));
  const read = (path: string) => {
    device.advance();
    return device.objects.valueAt(parsePath(path));
  };
  return {
    clock,
    device,
    read,
    number(path) {
      const value = read(path);
      assert.ok(typeof value === 'number', `${path} is ${String(value)}`);
      return value;
    },
    write(path, value) {
      device.advance();
      resource(path).value = value;
      resource(path).setup.written?.(value);
    },
    refusal: (path, value) => resource(path).setup.check?.(value),
    execute(path) {
      device.advance();
      resource(path).setup.execute?.('');
    },
  };
}
