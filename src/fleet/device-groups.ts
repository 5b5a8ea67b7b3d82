import { InvalidArgumentError } from '../errors';
import type { KeyedStore } from '../server';
import { escapeForLog, type Log } from '../util/log';
import { nextTurn } from '../util/next-turn';
import { Turns } from '../util/turns';
import type { Device } from './device';
import type { Devices } from './devices';
import { groupName } from './device-record-input';
import type { GroupView, StoredGroup } from './group';
import type { GroupRules } from './group-rules';
import { parseGroupRule, type GroupRule } from './selector';

/** How many groups may be made by a rule. */
const MAX_GROUPS = 1000;
/** How many devices are looked at before others get their turn. */
const AT_ONCE = 1000;

export interface DeviceGroupsContext {
  readonly store: KeyedStore<StoredGroup>;
  readonly rules: GroupRules;
  readonly devices: Devices;
  readonly log: Log;
  /** A device belongs to other groups than before. */
  readonly regrouped: (device: Device) => void;
}

/** Groups made by a rule: who belongs to them follows from records and registrations by itself. */
export class DeviceGroups {
  readonly #context: DeviceGroupsContext;
  readonly #stored = new Map<string, StoredGroup>();
  /** Changes of one group, so that memory follows them in the order of the store. */
  readonly #changes = new Turns();

  constructor(context: DeviceGroupsContext) {
    this.#context = context;
  }

  /** Takes up the groups of the store. @throws {StoreError} */
  async takeUp(): Promise<void> {
    const { store, rules, log } = this.#context;
    for await (const [name, group] of store.all()) {
      try {
        rules.set(name, parseGroupRule(group.selector));
        this.#stored.set(name, group);
      } catch (error) {
        if (!(error instanceof InvalidArgumentError)) throw error;
        log.error(`the group ${escapeForLog(name)} has no members: ${error.message}`);
      }
    }
  }

  /**
   * Makes a group, or gives it another rule.
   * @throws {InvalidArgumentError} no name, or a selector that cannot be the rule of a group. @throws {StoreError}
   */
  async define(name: unknown, selector: unknown, { user }: { user?: string } = {}): Promise<GroupView> {
    const group = groupName(name);
    if (typeof selector !== 'string') throw new InvalidArgumentError(`the group '${group}' has no selector`);
    return await this.#changes.run('', async () => {
      const rule = parseGroupRule(selector);
      this.#check(group, rule);
      const stored: StoredGroup = user === undefined ? { selector } : { selector, user };
      await this.#context.store.put(group, stored);
      this.#stored.set(group, stored);
      await this.#change(group, rule);
      this.#say(group, 'defined', user);
      return this.#view(group, selector, this.#count(group));
    });
  }

  /** @returns whether there was a rule of this name. @throws {InvalidArgumentError} @throws {StoreError} */
  async remove(name: unknown, { user }: { user?: string } = {}): Promise<boolean> {
    const group = groupName(name);
    return await this.#changes.run('', async () => {
      const isStored = await this.#context.store.remove(group);
      if (!this.#stored.delete(group)) return isStored;
      await this.#change(group, undefined);
      this.#say(group, 'removed', user);
      return true;
    });
  }

  /** All groups, those that only records name too, sorted by name. */
  list(): GroupView[] {
    const counts = new Map<string, number>();
    for (const name of this.#stored.keys()) counts.set(name, 0);
    for (const device of this.#context.devices) {
      for (const name of device.groups) counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    return [...counts]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, count]) => this.#view(name, this.#stored.get(name)?.selector, count));
  }

  #check(group: string, rule: GroupRule): void {
    const { rules } = this.#context;
    if (rules.get(group) === undefined && rules.size >= MAX_GROUPS) {
      throw new InvalidArgumentError(`there are ${MAX_GROUPS} groups by a rule already`);
    }
    const byRule = rule.groups.find((asked) => asked === group || rules.get(asked) !== undefined);
    if (byRule !== undefined) {
      throw new InvalidArgumentError(
        `'${byRule}' is a group by a rule; a rule may ask only for groups that records name`,
      );
    }
    for (const [other, { groups }] of rules) {
      if (other !== group && groups.includes(group)) {
        throw new InvalidArgumentError(`the rule of '${other}' asks for '${group}', which so must be named by records`);
      }
    }
  }

  async #change(group: string, rule: GroupRule | undefined): Promise<void> {
    const { rules, devices, regrouped } = this.#context;
    const before = rules.get(group);
    if (rule === undefined) rules.delete(group);
    else rules.set(group, rule);
    let looked = 0;
    for (const device of devices) {
      if (device.client !== undefined && isIn(before, device) !== isIn(rule, device)) regrouped(device);
      looked += 1;
      if (looked % AT_ONCE === 0) await nextTurn();
    }
  }

  #count(group: string): number {
    let count = 0;
    for (const device of this.#context.devices) if (device.groups.has(group)) count += 1;
    return count;
  }

  #view(group: string, selector: string | undefined, devices: number): GroupView {
    return selector === undefined ? { group, devices } : { group, selector, devices };
  }

  #say(group: string, what: string, user: string | undefined): void {
    const by = user === undefined ? '' : ` by ${escapeForLog(user)}`;
    this.#context.log.info(`the group ${escapeForLog(group)} was ${what}${by}`);
  }
}

function isIn(rule: GroupRule | undefined, device: Device): boolean {
  return rule?.matches(device) ?? false;
}
