/** A group made by a rule as a store keeps it, by its name. */
export interface StoredGroup {
  /** Which devices belong to it, now and later. */
  readonly selector: string;
  /** Who defined it. */
  readonly user?: string;
}
