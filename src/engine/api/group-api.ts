import { ALL_DEVICES } from '../../access';
import type { GroupView, ProvisionOptions } from '../../fleet';
import type { EngineParts } from '../engine-parts';

/** Groups of devices. Whoever changes a rule needs the right `provision` on all devices. */
export class GroupApi {
  constructor(private readonly parts: EngineParts) {}

  /**
   * Makes a group by a rule, or gives it another rule: every device that the selector matches belongs to it, now and
   * later. A rule may not ask for `state:`, nor for another group that has a rule.
   * Rejects with `InvalidArgumentError`, `AccessDeniedError` or `StoreError`.
   */
  defineGroup(name: string, selector: string, options?: ProvisionOptions): Promise<GroupView> {
    const { fleet, rights } = this.parts;
    return rights.audited(aboutAll(options), () => fleet.groups.define(name, selector, options));
  }

  /** Takes the rule of a group away; whose record names the group stays in it. Rejects as `defineGroup`. */
  removeGroup(name: string, options?: ProvisionOptions): Promise<boolean> {
    const { fleet, rights } = this.parts;
    return rights.audited(aboutAll(options), () => fleet.groups.remove(name, options));
  }

  /** All groups, by a rule or named by records, sorted by name. */
  groups(): GroupView[] {
    return this.parts.fleet.groups.list();
  }
}

function aboutAll(options: ProvisionOptions | undefined) {
  return { right: 'provision', user: options?.user, endpoint: ALL_DEVICES } as const;
}
