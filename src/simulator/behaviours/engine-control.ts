import type { ObjectDefinition, ResourceDefinition } from '../../model';
import type { DeviceObjects, ObjectInstance } from '../device-objects';
import { round, show, wholeSeconds } from './ipso-values';

const RUNNING = 0;
const STOP = 1;
const RELEASE = 2;
const BLOCKED = 3;
const SPEED_AT_STOP = 4;
const TIME_OF_STOP = 5;

type Shape = Pick<ResourceDefinition, 'id' | 'name' | 'camelName' | 'operations' | 'mandatory' | 'type'>;

function resource(shape: Shape, units = ''): [number, ResourceDefinition] {
  return [shape.id, { ...shape, multiple: false, range: '', units }];
}

/**
 * No public object has an engine that can be stopped, so the car brings one of its own, with an id of the range that the
 * registry sets aside for tests (42769 to 42800). For servers it is in examples/engine-control.xml.
 */
export const ENGINE_CONTROL: ObjectDefinition = {
  id: 42769,
  version: '1.0',
  lwm2mVersion: '1.0',
  name: 'Engine Control',
  camelName: 'engineControl',
  urn: 'urn:oma:lwm2m:x:42769',
  multiple: false,
  mandatory: false,
  resources: new Map([
    resource({
      id: RUNNING,
      name: 'Engine Running',
      camelName: 'engineRunning',
      operations: 'R',
      mandatory: true,
      type: 'boolean',
    }),
    resource({
      id: STOP,
      name: 'Stop Engine',
      camelName: 'stopEngine',
      operations: 'E',
      mandatory: true,
      type: 'none',
    }),
    resource({
      id: RELEASE,
      name: 'Release Engine',
      camelName: 'releaseEngine',
      operations: 'E',
      mandatory: true,
      type: 'none',
    }),
    resource({
      id: BLOCKED,
      name: 'Engine Blocked',
      camelName: 'engineBlocked',
      operations: 'R',
      mandatory: true,
      type: 'boolean',
    }),
    resource(
      {
        id: SPEED_AT_STOP,
        name: 'Speed at Last Stop',
        camelName: 'speedAtLastStop',
        operations: 'R',
        mandatory: false,
        type: 'float',
      },
      'm/s',
    ),
    resource({
      id: TIME_OF_STOP,
      name: 'Time of Last Stop',
      camelName: 'timeOfLastStop',
      operations: 'R',
      mandatory: false,
      type: 'time',
    }),
  ]),
};

export interface EngineListener {
  /** The server stops the engine, at whatever speed, or lets it start again. */
  changed(): void;
  /** m/s */
  speed(): number;
  /** ms since 1970 */
  now(): number;
}

/** An engine that the server stops; it cannot be started then until the server releases it. */
export class EngineControl {
  readonly #instance: ObjectInstance;
  readonly #listener: EngineListener;
  #blocked = false;

  constructor(objects: DeviceObjects, listener: EngineListener) {
    this.#listener = listener;
    objects.define(ENGINE_CONTROL);
    this.#instance = objects.add(ENGINE_CONTROL.id, 0, {
      [RUNNING]: { value: false },
      [STOP]: { execute: () => this.#stop() },
      [RELEASE]: { execute: () => this.#release() },
      [BLOCKED]: { value: false },
      [SPEED_AT_STOP]: { value: 0 },
      [TIME_OF_STOP]: { value: new Date(0) },
    });
  }

  get blocked(): boolean {
    return this.#blocked;
  }

  show(running: boolean): void {
    show(this.#instance, RUNNING, running);
  }

  #stop(): void {
    this.#blocked = true;
    show(this.#instance, BLOCKED, true);
    show(this.#instance, SPEED_AT_STOP, round(this.#listener.speed(), 1));
    show(this.#instance, TIME_OF_STOP, wholeSeconds(this.#listener.now()));
    this.#listener.changed();
  }

  #release(): void {
    this.#blocked = false;
    show(this.#instance, BLOCKED, false);
    this.#listener.changed();
  }
}
