import type { GroupRule, RuleSubject } from './selector';

/** Where hardly two devices are in the same groups, remembering their sets saves nothing. */
const MAX_SHARED = 10_000;

/**
 * The rules by which devices belong to groups, in memory. A rule with a label is looked at only for devices with that
 * label, so a thousand groups of the kind `label:floor=3` cost a device no more than one.
 */
export class GroupRules {
  readonly #rules = new Map<string, GroupRule>();
  readonly #byLabel = new Map<string, Set<string>>();
  readonly #withoutLabel = new Set<string>();
  /** Devices that belong to the same groups share one set. */
  readonly #sets = new Map<string, ReadonlySet<string>>();
  #generation = 0;

  /** Another one whenever a rule came or went. */
  get generation(): number {
    return this.#generation;
  }

  get size(): number {
    return this.#rules.size;
  }

  get(name: string): GroupRule | undefined {
    return this.#rules.get(name);
  }

  [Symbol.iterator](): IterableIterator<[name: string, rule: GroupRule]> {
    return this.#rules.entries();
  }

  set(name: string, rule: GroupRule): void {
    this.delete(name);
    this.#rules.set(name, rule);
    this.#namesWith(rule).add(name);
    this.#changed();
  }

  delete(name: string): void {
    const rule = this.#rules.get(name);
    if (rule === undefined) return;
    this.#rules.delete(name);
    const names = this.#namesWith(rule);
    names.delete(name);
    if (names.size === 0 && rule.label !== undefined) this.#byLabel.delete(keyOf(rule.label));
    this.#changed();
  }

  /** All groups of a device: those that its record names, and those that it belongs to by a rule. */
  groupsOf(subject: RuleSubject): ReadonlySet<string> {
    if (this.#rules.size === 0) return subject.recordGroups;
    const groups = new Set(subject.recordGroups);
    this.#add(this.#withoutLabel, subject, groups);
    if (this.#byLabel.size > 0) {
      for (const label of subject.labels) this.#add(this.#byLabel.get(keyOf(label)), subject, groups);
    }
    return groups.size === subject.recordGroups.size ? subject.recordGroups : this.#shared(groups);
  }

  #add(names: ReadonlySet<string> | undefined, subject: RuleSubject, groups: Set<string>): void {
    if (names === undefined) return;
    for (const name of names) if (this.#rules.get(name)?.matches(subject) === true) groups.add(name);
  }

  #shared(groups: ReadonlySet<string>): ReadonlySet<string> {
    const key = JSON.stringify([...groups]);
    const shared = this.#sets.get(key);
    if (shared !== undefined) return shared;
    if (this.#sets.size >= MAX_SHARED) this.#sets.clear();
    this.#sets.set(key, groups);
    return groups;
  }

  #namesWith({ label }: GroupRule): Set<string> {
    if (label === undefined) return this.#withoutLabel;
    const key = keyOf(label);
    let names = this.#byLabel.get(key);
    if (names === undefined) this.#byLabel.set(key, (names = new Set()));
    return names;
  }

  #changed(): void {
    this.#generation += 1;
    this.#sets.clear();
  }
}

/** The name of a label has no `=`. */
function keyOf([name, value]: readonly [name: string, value: string]): string {
  return `${name}=${value}`;
}
