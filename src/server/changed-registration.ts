import type { Channel } from '../transport/transport';
import type { LifetimeBounds } from './lifetime-bounds';
import type { RegisteredObjects } from './registered-objects';
import type { Registration } from './registration';
import type { RegistrationParameters } from './registration-parameters';

/** What an Update brings: what the device said, and where and by whom it was heard. */
export interface RegistrationChange {
  readonly parameters: RegistrationParameters;
  readonly objects: RegisteredObjects;
  readonly channel: Channel;
  readonly owner: string;
  readonly lifetimes: LifetimeBounds;
}

/** The registration with what an Update changes (LwM2M Core 1.2 s6.2.2); the same one when nothing does. */
export function changedRegistration(current: Registration, change: RegistrationChange): Registration {
  const { parameters, objects, channel, owner, lifetimes } = change;
  const requested = parameters.lifetime ?? current.lifetimeRequested;
  const binding = parameters.binding ?? current.binding;
  // A new binding mode comes with its Q or without; a bare update leaves queue mode as it is.
  const queueMode = parameters.queueMode ?? (parameters.binding === undefined && current.queueMode);
  const smsNumber = parameters.smsNumber ?? current.smsNumber;
  const lifetime = lifetimes.effective(requested);
  if (
    requested === current.lifetimeRequested &&
    lifetime === current.lifetime &&
    binding === current.binding &&
    queueMode === current.queueMode &&
    smsNumber === current.smsNumber &&
    owner === current.owner &&
    objects === current.objects &&
    isSameAddress(channel, current)
  ) {
    return current;
  }
  return {
    ...current,
    revision: current.revision + 1,
    owner,
    binding,
    queueMode,
    lifetime,
    lifetimeRequested: requested,
    smsNumber,
    objects,
    scheme: channel.scheme,
    address: channel.address,
    identity: channel.identity,
  };
}

export function isSameAddress(channel: Channel, { scheme, address }: Registration): boolean {
  return (
    channel.address === address ||
    (channel.scheme === scheme && channel.address.port === address.port && channel.address.host === address.host)
  );
}
