import type { ResumeOptions, SuspendOptions, SuspensionRun, SuspensionView, Target } from '../../fleet';
import type { EngineParts } from '../engine-parts';

/** Devices that must stay away for a time. */
export class SuspensionApi {
  constructor(private readonly parts: EngineParts) {}

  /**
   * Suspends the connection of devices for a time: they are told to stay away (Disable Timeout and Disable, LwM2M Core 1.2
   * appendix E.2), are refused until their end with 5.03 and Max-Age, and their orders wait. A device that cannot be told is
   * only refused. Devices of high priority are left alone. It is under way when this returns, and outlives the process.
   * @throws {InvalidArgumentError} a target, a duration or a stagger that cannot be. @throws {StoreError} it is not open.
   */
  suspend(target: Target, options: SuspendOptions): SuspensionRun {
    const { fleet, keeper, rights } = this.parts;
    keeper.needOpen();
    return rights.suspended('suspend', fleet.suspensions.suspend(target, options), options.user);
  }

  /**
   * Lets suspended devices in before their end. One that was told to stay away may come as late as it was told; one that
   * was only refused, and is still registered, is back at once.
   * @throws {InvalidArgumentError} a target that cannot be. @throws {StoreError} the store is not open.
   */
  resume(target: Target, options?: ResumeOptions): SuspensionRun {
    const { fleet, keeper, rights } = this.parts;
    keeper.needOpen();
    return rights.suspended('resume', fleet.suspensions.resume(target, options), options?.user);
  }

  /**
   * The suspensions of the devices of a target (all when absent), sorted by endpoint; of those that are back for an hour.
   * @throws {InvalidArgumentError} as `order`.
   */
  suspensions(target?: Target): SuspensionView[] {
    return this.parts.fleet.suspensions.list(target);
  }
}
