import type { CoapObservation, CoapResponse } from '../coap';
import type { ContentFormatName } from '../content';
import type { Lwm2mError } from '../errors';
import { formatPath, type Path, type ResourceValue } from '../model';
import type { Attributes } from './attributes';

/** What is to be observed of a device. */
export interface ObservationSpec {
  /** One path, or several as a composite observation. */
  readonly paths: readonly Path[];
  readonly contentFormat?: ContentFormatName;
  readonly attributes?: Attributes;
}

/** Values that the device told at one time. */
export interface ObservedContent {
  /** The path observed; of a composite observation the paths, separated by commas. */
  readonly path: string;
  readonly paths: readonly Path[];
  readonly values: readonly ResourceValue[];
  readonly contentFormat: ContentFormatName;
  readonly warnings: readonly string[];
  /** ms since 1970: the device's own time, else of arrival. */
  readonly timestamp: number;
  /** Of the answer to the observation itself. */
  readonly first: boolean;
}

/** Who hears an observation. */
export interface ObservationSubscriber {
  value(content: ObservedContent): void;
  /** Something went wrong, but the observation goes on: attributes refused, a notification that cannot be read. */
  failed(path: string, error: Lwm2mError): void;
  /** The device ended it, or its channel is gone. */
  ended(path: string, error: Lwm2mError): void;
}

const ESTABLISHED = Promise.resolve();

/** One observation on a device, shared by all who want these paths. */
export class SharedObservation {
  readonly path: string;
  readonly subscribers = new Set<ObservationSubscriber>();
  /** Settles when the device has answered; rejects when it refused. */
  established: Promise<void> = ESTABLISHED;
  coap: CoapObservation | undefined = undefined;
  /** Notifications that came before the store had it: the first value comes first. Bounded, the oldest goes first. */
  early: CoapResponse[] | undefined = undefined;
  /**
   * The token by which the device knows it, while there is no way to the device: its DTLS session has ended, or is of a
   * process before this one. The observation goes on when the device has proved itself again.
   */
  waitingToken: Buffer | undefined = undefined;
  /** Whether it is of a process before this one: the device observes it, whoever may want it now. */
  restored = false;
  /** What came after the restart before anybody had taken it up; bounded, the oldest goes first. */
  unheard: ObservedContent[] | undefined = undefined;
  /** Whether a notification that could not be read was already said. */
  saidUnreadable = false;

  constructor(
    readonly key: string,
    readonly spec: ObservationSpec,
  ) {
    this.path = spec.paths.map(formatPath).join(',');
  }
}

/** Equal paths in equal order are one observation. */
export function observationKey(paths: readonly Path[]): string {
  return paths.map(formatPath).join(',');
}
