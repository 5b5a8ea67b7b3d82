import type { RegisteredObjects } from './registered-objects';

/** Object lists that devices name by a Profile ID instead of sending them (LwM2M Core 1.2 s6.2.1). */
export interface Profiles {
  objectsOf(profileId: string): RegisteredObjects | undefined;
}

export const NO_PROFILES: Profiles = { objectsOf: () => undefined };
