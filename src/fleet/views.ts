import type { Path } from '../model';
import type { RegisteredObjects, Registration } from '../server';
import type { DeviceEventPayload, SuspensionEventPayload } from './device-event';
import type { Device } from './device';
import type { AddressView, DeviceView, ObjectView } from './device-view';
import type { StoredSuspension } from './suspension';

/** What `devices()` says of a device. */
export function deviceView(device: Device, within?: readonly Path[]): DeviceView {
  const registration = device.client?.registration;
  const values = device.knownValues?.view(within) ?? {};
  device.openOrders?.addTo(values, within);
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
    waiting: device.openOrders?.waiting ?? 0,
    orders: device.openOrders?.view() ?? [],
    values,
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

/** What a suspension's event says of a device: `registered` is what it was when it was suspended. */
export function suspensionPayload(
  { endpoint, since, until, mode, registered }: StoredSuspension,
  device: Device | undefined,
): SuspensionEventPayload {
  const registration = device?.client?.registration;
  const known = registration === undefined ? registered : eventPayload(registration, device);
  return {
    ...known,
    endpoint,
    objects: known?.objects ?? objectViews(device?.objects),
    labels: Object.fromEntries(device?.labels ?? []),
    groups: [...(device?.groups ?? [])],
    priority: device?.priority ?? 'normal',
    owner: device?.owner,
    suspension: { since, until, mode },
  };
}

function addressView({ address, scheme }: Registration): AddressView {
  return { host: address.host, port: address.port, transport: scheme };
}

function objectViews(registered: RegisteredObjects | undefined): ObjectView[] {
  return (registered?.objects ?? []).map(({ id, version, instances }) => ({ id, version, instances: [...instances] }));
}
