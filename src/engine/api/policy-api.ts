import type {
  CancelOptions,
  ObservationListener,
  ObservationPolicy,
  PolicyHandle,
  PolicyOptions,
  PolicyRecord,
} from '../../fleet';
import type { EngineParts } from '../engine-parts';

/** Standing wishes to observe. */
export class PolicyApi {
  constructor(private readonly parts: EngineParts) {}

  /**
   * Declares a policy of observation, or takes up the one that runs under this id, since before a restart perhaps: an equal
   * one is left alone and the values kept while nobody listened are delivered; a different one replaces it. Resolves when
   * the store has it.
   * Rejects with `InvalidArgumentError` as `order`, or `StoreError`; then nothing has changed.
   */
  async observePolicy(
    id: string,
    policy: ObservationPolicy,
    listener: ObservationListener,
    options?: PolicyOptions,
  ): Promise<PolicyHandle> {
    this.parts.keeper.needOpen();
    return await this.parts.fleet.policies.declare(id, policy, listener, options);
  }

  /** The policies of an owner as the store has them, those too that were cancelled to be remembered. */
  policiesOf(owner: string): PolicyRecord[] {
    return this.parts.fleet.policies.of(owner);
  }

  /** As `cancel` of the policy's handle, for one that nobody has taken up. Rejects with `StoreError`. */
  async cancelPolicy(id: string, options?: CancelOptions): Promise<void> {
    this.parts.keeper.needOpen();
    await this.parts.fleet.policies.cancel(id, options);
  }

  /**
   * To be called when all owners of policies had their chance to declare them: ends the policies of owners who are gone,
   * and what devices still observe since before a restart that no policy wants.
   * Rejects with `StoreError`; the policies that could not be ended hold on.
   */
  async settlePolicies(isThere: (owner: string) => boolean): Promise<void> {
    this.parts.keeper.needOpen();
    await this.parts.fleet.policies.settle(isThere);
  }
}
