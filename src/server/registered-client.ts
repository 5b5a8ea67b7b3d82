import type { Channel } from '../transport/transport';
import { NO_BUCKET, type Deadlined } from '../util/deadline-index';
import type { DeviceModel } from './device-model';
import type { SharedObservation } from './shared-observation';
import type { Registration } from './registration';

/**
 * What this instance knows of a device while it is registered here: its registration, the channel that reaches it, and
 * what it has shown. Small, for there are many; what most devices never need is made when it is needed.
 */
export class RegisteredClient implements Deadlined {
  registration: Registration;
  /** Where it was heard last; `undefined` of a DTLS session of a process before this one. */
  channel: Channel | undefined;
  model: DeviceModel;
  /** ms since 1970. Of a registration of a process before this one when it was made, until the device is heard. */
  lastHeard: number;
  /** Its registration is over: whatever it still answers, it is neither awake nor asleep. */
  over = false;
  /** Of a queue-mode device: whether `asleep` was not yet said since it was last heard. Others are always awake. */
  awake = true;
  /** Of a queue-mode device: the end of its awake time (DeadlineIndex). */
  deadline = 0;
  bucket = NO_BUCKET;
  /** What the device has refused, one bit each; see `refusals.ts`. */
  refused = 0;
  observations: Map<string, SharedObservation> | undefined = undefined;
  /** A slot for the one layer above, so that it needs no map lookup for each message. */
  context: unknown = undefined;

  constructor(registration: Registration, channel: Channel | undefined, model: DeviceModel) {
    this.registration = registration;
    this.lastHeard = registration.registeredAt;
    this.channel = channel;
    this.model = model;
  }

  get endpoint(): string {
    return this.registration.endpoint;
  }
}
