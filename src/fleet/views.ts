import type { Path } from '../model';
import type { RegisteredObjects, Registration } from '../server';
import type { DeviceEventPayload } from './device-event';
import type { Device } from './device';
import type { AddressView, DeviceView, ObjectView } from './device-view';

/** What `devices()` says of a device. */
export function deviceView(device: Device, within?: readonly Path[]): DeviceView {
  const registration = device.client?.registration;
  return {
    endpoint: device.endpoint,
    connectivity: device.connectivity,
    ...(registration === undefined
      ? {}
      : {
          address: addressView(registration),
          identity: { ...registration.identity },
          version: registration.version,
          binding: registration.binding,
          queueMode: registration.queueMode,
          lifetime: registration.lifetime,
        }),
    lastSeen: device.lastSeen,
    objects: objectViews(device.objects),
    labels: Object.fromEntries(device.labels),
    groups: [...device.groups],
    priority: device.priority,
    owner: device.owner,
    waiting: device.client?.waiting?.length ?? 0,
    values: device.knownValues?.view(within) ?? {},
  };
}

/** What an event says of a device whose registration is, or just was, this one. */
export function eventPayload(registration: Registration, device: Device | undefined): DeviceEventPayload {
  return {
    endpoint: registration.endpoint,
    version: registration.version,
    binding: registration.binding,
    queueMode: registration.queueMode,
    lifetime: registration.lifetime,
    lifetimeRequested: registration.lifetimeRequested,
    objects: objectViews(registration.objects),
    address: addressView(registration),
    identity: { ...registration.identity },
    labels: Object.fromEntries(device?.labels ?? []),
    groups: [...(device?.groups ?? [])],
    priority: device?.priority ?? 'normal',
    owner: device?.owner,
    registeredAt: registration.registeredAt,
  };
}

function addressView({ address, scheme }: Registration): AddressView {
  return { host: address.host, port: address.port, transport: scheme };
}

function objectViews(registered: RegisteredObjects | undefined): ObjectView[] {
  return (registered?.objects ?? []).map(({ id, version, instances }) => ({ id, version, instances: [...instances] }));
}
