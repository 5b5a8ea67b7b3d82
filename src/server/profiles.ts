import { CodecError, InvalidArgumentError } from '../errors';
import { parseRegisteredObjects, type RegisteredObjects } from './registered-objects';

/** Object lists that devices name by a Profile ID instead of sending them (LwM2M Core 1.2 s6.2.1). */
export interface Profiles {
  objectsOf(profileId: string): RegisteredObjects | undefined;
}

export const NO_PROFILES: Profiles = { objectsOf: () => undefined };

/**
 * Profiles that are known from the start.
 * @param lists Profile ID to object list, written as in the payload of a Register: `</1/0>,</3/0>`.
 * @throws {InvalidArgumentError} a list that cannot be read.
 */
export function profilesOf(lists: Readonly<Record<string, string>>): Profiles {
  const profiles = new Map(Object.entries(lists).map(([profileId, list]) => [profileId, readList(profileId, list)]));
  return { objectsOf: (profileId) => profiles.get(profileId) };
}

function readList(profileId: string, list: string): RegisteredObjects {
  try {
    return parseRegisteredObjects(Buffer.from(list));
  } catch (error) {
    if (error instanceof CodecError) throw new InvalidArgumentError(`profile ${profileId}: ${error.message}`);
    throw error;
  }
}
