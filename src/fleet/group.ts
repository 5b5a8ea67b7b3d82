/** A group made by a rule as a store keeps it, by its name. */
export interface StoredGroup {
  /** Which devices belong to it, now and later. */
  readonly selector: string;
  /** Who defined it. */
  readonly user?: string;
}

/** A group as it is shown. A fresh object that its reader may change. */
export interface GroupView {
  /** Its name. */
  group: string;
  /** Its rule; absent: only records name it. */
  selector?: string;
  /** How many known devices belong to it, by their record or by the rule. */
  devices: number;
}
