import { StoreError } from '../../errors';
import type { RegisteredObjects, Registration } from '../../server';
import type { Row, SqlValue } from './messages';
import { textKey } from './text-key';

/** All of a registration but its object list, which many devices share. */
type OwnPart = { [K in keyof Required<Omit<Registration, 'objects'>>]: Registration[K] };

/** Texts of the object lists, each made once. */
const objectTexts = new WeakMap<RegisteredObjects, string>();

function textOfObjects(objects: RegisteredObjects): string {
  let text = objectTexts.get(objects);
  if (text === undefined) objectTexts.set(objects, (text = JSON.stringify(objects)));
  return text;
}

/** A registration as its row keeps it: endpoint, its own part and its object list, both as JSON. */
export function rowOfRegistration(registration: Registration): SqlValue[] {
  const own: OwnPart = {
    id: registration.id,
    endpoint: registration.endpoint,
    revision: registration.revision,
    owner: registration.owner,
    version: registration.version,
    binding: registration.binding,
    queueMode: registration.queueMode,
    lifetime: registration.lifetime,
    lifetimeRequested: registration.lifetimeRequested,
    smsNumber: registration.smsNumber,
    profileId: registration.profileId,
    scheme: registration.scheme,
    address: registration.address,
    identity: registration.identity,
    registeredAt: registration.registeredAt,
  };
  return [textKey(registration.endpoint), JSON.stringify(own), textOfObjects(registration.objects)];
}

/** Reads rows of registrations; those with the same object list share it, as they do when devices register. */
export class RegistrationReader {
  readonly #objects = new Map<string, RegisteredObjects>();

  /** @throws {StoreError} it is no row of a registration. */
  read([, own, objects]: Row): Registration {
    try {
      const part = JSON.parse(String(own)) as OwnPart;
      return {
        id: part.id,
        endpoint: part.endpoint,
        revision: part.revision,
        owner: part.owner,
        version: part.version,
        binding: part.binding,
        queueMode: part.queueMode,
        lifetime: part.lifetime,
        lifetimeRequested: part.lifetimeRequested,
        smsNumber: part.smsNumber,
        profileId: part.profileId,
        objects: this.#objectsOf(String(objects)),
        scheme: part.scheme,
        address: part.address,
        identity: part.identity,
        registeredAt: part.registeredAt,
      };
    } catch (cause) {
      throw new StoreError('a stored registration cannot be read', { cause });
    }
  }

  #objectsOf(text: string): RegisteredObjects {
    let objects = this.#objects.get(text);
    if (objects === undefined) {
      objects = JSON.parse(text) as RegisteredObjects;
      objectTexts.set(objects, text);
      this.#objects.set(text, objects);
    }
    return objects;
  }
}
