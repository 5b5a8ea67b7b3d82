/** A device whose connection is suspended for a time. All times in ms since 1970. */
export interface StoredSuspension {
  readonly endpoint: string;
  readonly since: number;
  readonly until: number;
  /** `device`: it was told and stays away by itself; `server`: it is only not let in. */
  readonly mode: 'device' | 'server';
  /** Who suspended it. */
  readonly user?: string;
}
