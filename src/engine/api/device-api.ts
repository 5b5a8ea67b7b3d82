import type { EngineParts } from '../engine-parts';
import { deviceView, listDevices } from '../../fleet';
import type { DeviceList, DeviceView, FoundDevice, ListOptions, Target } from '../../fleet';
import type { Path } from '../../model';

/** What is known of devices. */
export class DeviceApi {
  constructor(private readonly parts: EngineParts) {}

  /**
   * What is known of the devices of a target (all when absent), sorted by endpoint.
   * @param paths only values of resources at, below or above these; all known values when absent.
   * @throws {InvalidArgumentError} as `order`.
   */
  devices(target: Target = { all: true }, paths?: readonly Path[]): DeviceView[] {
    const { devices } = this.parts.fleet;
    return devices
      .members(target)
      .sort()
      .flatMap((endpoint) => {
        const device = devices.get(endpoint);
        return device === undefined ? [] : [deviceView(device, paths)];
      });
  }

  /**
   * As `devices`, of a part of them if wanted, and with pauses, so that everything else goes on however many they are.
   * Rejects with `InvalidArgumentError`.
   */
  listDevices(target: Target = { all: true }, options?: ListOptions): Promise<DeviceList> {
    return listDevices(this.parts.fleet.devices, target, options);
  }

  /**
   * A test of whether a device is of a target, for filtering events.
   * @throws {InvalidArgumentError} as `order`.
   */
  matcher(target: Target): (endpoint: string) => boolean {
    const { devices } = this.parts.fleet;
    const matches = devices.matcher(target);
    return (endpoint) => matches(devices.subject(endpoint));
  }

  /** Devices whose endpoint contains the text, at most `limit`, sorted: for pickers. */
  searchDevices(text: string, limit: number): FoundDevice[] {
    return this.parts.fleet.devices.search(text, limit);
  }
}
