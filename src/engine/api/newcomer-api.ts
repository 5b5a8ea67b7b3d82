import { ALL_DEVICES } from '../../access';
import type { JoinOptions, JoinView, PendingDevice, ProvisionedDevice, ProvisionOptions } from '../../fleet';
import type { EngineParts } from '../engine-parts';
import type { ProvisioningApi } from './provisioning-api';

/** Devices that nobody has provisioned. Whoever lets them in needs the right `provision`. */
export class NewcomerApi {
  constructor(
    private readonly parts: EngineParts,
    private readonly provisioning: ProvisioningApi,
  ) {}

  /** Devices that were turned away because nobody has provisioned them, at most 1,000; who came last is first. */
  pending(): PendingDevice[] {
    return this.parts.fleet.newcomers.pending.list();
  }

  /**
   * Provisions a pending device: as `provision`; of a record that names no security it is what the device came with. Rejects
   * as `provision`, also when no such device is pending, or when a key is needed.
   * @param input its endpoint, or a record.
   */
  async accept(input: unknown, options?: ProvisionOptions): Promise<ProvisionedDevice> {
    return await this.provisioning.provision(this.parts.fleet.newcomers.acceptedInput(input), options);
  }

  /** As `accept` of many, stored as by `provisionAll`. */
  async acceptAll(inputs: readonly unknown[], options?: ProvisionOptions): Promise<ProvisionedDevice[]> {
    const records = inputs.map((input) => this.parts.fleet.newcomers.acceptedInput(input));
    return await this.provisioning.provisionAll(records, options);
  }

  /**
   * Opens a join window: for a time, unknown devices without DTLS that register get a record, and where only provisioned
   * ones are let in (`noSec: provisioned`) they are let in for it. Said as `joined`. It ends by itself, and with the process.
   * Rejects with `InvalidArgumentError` when no device may come without DTLS (`noSec: none`), or `AccessDeniedError`.
   */
  async permitJoin(options: JoinOptions = {}): Promise<JoinView> {
    const { fleet, rights } = this.parts;
    const about = { right: 'provision', name: 'join', user: options.user, endpoint: ALL_DEVICES } as const;
    return await rights.audited(about, () => Promise.resolve(fleet.newcomers.permitJoin(options)));
  }

  /** The join window that is open, or was last. */
  get joinWindow(): JoinView | undefined {
    return this.parts.fleet.newcomers.window;
  }
}
