import { SERVER } from './behaviours/server-object';
import type { DeviceObjects } from './device-objects';
import type { NotificationAttributes, AttributeValues } from './notification-attributes';
import type { Path } from '../model';

/** What the server has told its device to do by the Server object (LwM2M Core 1.1 appendix E.2). */
export class ServerSettings {
  constructor(
    private readonly objects: DeviceObjects,
    private readonly defaultLifetime: number,
  ) {}

  /** s */
  get lifetime(): number {
    return this.#number(SERVER.lifetime) ?? this.defaultLifetime;
  }

  /** Whether notifications are kept while the server cannot be reached. */
  get isStoring(): boolean {
    return this.objects.find(SERVER.object, SERVER.instance, SERVER.storing)?.value === true;
  }

  /** The default periods hold where nothing else does (LwM2M Core 1.1 s7.3.2). */
  attributesOf(path: Path, attributes: NotificationAttributes): AttributeValues {
    const pmin = this.#number(SERVER.pmin) ?? 0;
    const pmax = this.#number(SERVER.pmax) ?? 0;
    return { pmin, pmax, ...attributes.effective(path) };
  }

  #number(resource: number): number | undefined {
    return this.objects.find(SERVER.object, SERVER.instance, resource)?.number;
  }
}
