import { ALL_DEVICES } from '../../access';
import type { ProvisionedDevice, ProvisionOptions, Target } from '../../fleet';
import type { ProvisionManyOptions } from '../../fleet/device-provisioning';
import type { EngineParts } from '../engine-parts';

/** The records of devices: who they are, and what they must prove. Whoever changes one needs the right `provision`. */
export class ProvisioningApi {
  constructor(private readonly parts: EngineParts) {}

  /**
   * Makes or changes the record of a device: what it must prove to register, and its labels, groups, priority, owner and
   * metadata. Takes one record as `lwm2m-provision` does; what it does not say stays as it is, `null` takes it away. A
   * session that was made with another key ends at once.
   * Rejects with `InvalidArgumentError`, whose text never holds a key, `AccessDeniedError` or `StoreError`.
   * @returns the record, without its key.
   */
  provision(input: unknown, options?: ProvisionOptions): Promise<ProvisionedDevice> {
    const { fleet, rights } = this.parts;
    const about = { right: 'provision', user: options?.user, endpoint: endpointOfRecord(input) } as const;
    return rights.audited(about, async () => {
      this.#checkClaim(input, options);
      return await fleet.provisioning.put(input, options);
    });
  }

  /**
   * As `provision` of many records, of which all are checked before the first is stored. What fails after that is an error
   * whose `cause` is a `BatchFailure`: it names what is stored.
   */
  provisionAll(inputs: readonly unknown[], options?: ProvisionOptions): Promise<ProvisionedDevice[]> {
    return this.parts.fleet.provisioning.putAll(inputs, this.#many(options));
  }

  /**
   * As `provisionAll` of the records of a CSV text, whose first line names the columns: endpoint, mode, identity, key,
   * publicKey, name, groups, priority, owner, `label:site`, `metadata:serial`. An error names line and column.
   * `csvOfRecords` writes such a text.
   */
  provisionCsv(text: string, options?: ProvisionOptions): Promise<ProvisionedDevice[]> {
    return this.parts.fleet.provisioning.putCsv(text, this.#many(options));
  }

  /** The record of a device, without its key; `null` when there is none. Rejects as `provision`. */
  provisioned(endpoint: string): Promise<ProvisionedDevice | null> {
    return this.parts.fleet.provisioning.get(endpoint);
  }

  /** The records of the devices of a target, without their keys, sorted by endpoint. Rejects as `provision`. */
  provisionedDevices(target: Target = { all: true }): Promise<ProvisionedDevice[]> {
    return this.parts.fleet.provisioning.list(target);
  }

  /**
   * Removes the record of a device and cuts the device off at once: its DTLS session and its registration end, which is
   * said as `deregistered`. Rejects as `provision`.
   * @returns whether there was a record.
   */
  unprovision(endpoint: string, options?: ProvisionOptions): Promise<boolean> {
    const { fleet, rights } = this.parts;
    const about = { right: 'provision', name: 'unprovision', user: options?.user, endpoint } as const;
    return rights.audited(about, async () => {
      const isRemoved = await fleet.provisioning.remove(endpoint, options);
      // Who gets the name next gets no rights with it.
      await rights.forget(endpoint);
      return isRemoved;
    });
  }

  /**
   * Hands a device over to another provider (OMA LwM2M requirements, use case B.3, case 5): its record is made anew from the
   * input, a pre-shared key must be another one, its registration ends, grants on it, orders that wait for it and its values
   * are wiped. The audit trail stays. Rejects as `provision`.
   * @returns the new record, without its key.
   */
  handOver(input: unknown, options?: ProvisionOptions): Promise<ProvisionedDevice> {
    const { fleet, keeper, rights } = this.parts;
    const endpoint = endpointOfRecord(input);
    const about = { right: 'provision', name: 'hand-over', user: options?.user, endpoint } as const;
    return rights.audited(about, async () => {
      keeper.needOpen();
      this.#checkClaim(input, options);
      const record = await fleet.handOver(input, options);
      await rights.forget(endpoint);
      return record;
    });
  }

  /**
   * A device whose certificate has its own name needs no record. A record of another one that claims this certificate
   * shuts it out, so it takes the right to both. @throws {AccessDeniedError}
   */
  #checkClaim(input: unknown, { user }: ProvisionOptions = {}): void {
    const { fleet, rights } = this.parts;
    const name = certificateNameOf(input);
    if (name === undefined || fleet.devices.get(name) === undefined) return;
    const denied = rights.may('provision', name, user);
    if (denied !== undefined) throw denied;
  }

  /** The rights to provision many devices are asked before the first is stored; a denial is noted like any. */
  #many(options: ProvisionOptions = {}): ProvisionManyOptions {
    const { rights } = this.parts;
    const { user } = options;
    return {
      ...options,
      check: async (endpoint) => {
        if (rights.may('provision', endpoint, user) === undefined) return;
        await rights.audited({ right: 'provision', user, endpoint }, () => Promise.resolve());
      },
      put: (input) => this.provision(input, options),
    };
  }
}

/** The device that a record is for, when it can be read; what cannot is refused by whoever reads it all. */
function endpointOfRecord(input: unknown): string {
  const isRecord = typeof input === 'object' && input !== null && 'endpoint' in input;
  return isRecord && typeof input.endpoint === 'string' ? input.endpoint : ALL_DEVICES;
}

/** The certificate that a record says its device has. */
function certificateNameOf(input: unknown): string | undefined {
  const security = typeof input === 'object' && input !== null && 'security' in input ? input.security : undefined;
  const isNamed = typeof security === 'object' && security !== null && 'mode' in security && 'name' in security;
  return isNamed && security.mode === 'x509' && typeof security.name === 'string' ? security.name : undefined;
}
