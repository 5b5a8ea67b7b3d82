/** What the payload of a Register says. Shared by all registrations whose payload has the same bytes: never change it. */
export interface RegisteredObjects {
  readonly objects: readonly RegisteredObject[];
  /** The segments of the alternate root path (`rt="oma.lwm2m"`), empty for `/` (LwM2M Core 1.2 s6.2.1). */
  readonly rootPath: readonly string[];
  /** The content formats of `</>;ct=`, empty when the device announced none. */
  readonly contentFormats: readonly number[];
}

export interface RegisteredObject {
  readonly id: number;
  /** Of the object, `1.0` when the device says none. */
  readonly version: string;
  readonly instances: readonly number[];
}
