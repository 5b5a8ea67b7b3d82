import type { Path } from '../model';
import type { RegisteredObjects, Registration } from '../server';
import type { DeviceEventPayload } from './device-event';
import type { DeviceRecord } from './device-record';
import type { AddressView, DeviceView, ObjectView } from './device-view';

/** What `devices()` says of a device. */
export function deviceView(record: DeviceRecord, within?: readonly Path[]): DeviceView {
  const registration = record.client?.registration;
  return {
    endpoint: record.endpoint,
    connectivity: record.connectivity,
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
    lastSeen: record.lastSeen,
    objects: objectViews(record.objects),
    labels: Object.fromEntries(record.labels),
    groups: [...record.groups],
    priority: record.priority,
    owner: record.owner,
    waiting: record.client?.waiting?.length ?? 0,
    values: record.knownValues?.view(within) ?? {},
  };
}

/** What an event says of a device whose registration is, or just was, this one. */
export function eventPayload(registration: Registration, record: DeviceRecord | undefined): DeviceEventPayload {
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
    labels: Object.fromEntries(record?.labels ?? []),
    groups: [...(record?.groups ?? [])],
    priority: record?.priority ?? 'normal',
    owner: record?.owner,
    registeredAt: registration.registeredAt,
  };
}

function addressView({ address, scheme }: Registration): AddressView {
  return { host: address.host, port: address.port, transport: scheme };
}

function objectViews(registered: RegisteredObjects | undefined): ObjectView[] {
  return (registered?.objects ?? []).map(({ id, version, instances }) => ({ id, version, instances: [...instances] }));
}
