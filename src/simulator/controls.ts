import { InvalidArgumentError } from '../errors';
import type { Behaviour } from './behaviour';

/** What may happen to a device from outside, by name. */
export function controlsOf(behaviours: readonly Behaviour[]): readonly string[] {
  return behaviours.flatMap(({ controls = {} }) => Object.keys(controls));
}

/** What lets one of them happen. @throws {InvalidArgumentError} this kind of device has no such thing. */
export function controlOf(endpoint: string, behaviours: readonly Behaviour[], name: string): () => void {
  for (const { controls = {} } of behaviours) {
    const act = Object.hasOwn(controls, name) ? controls[name] : undefined;
    if (act !== undefined) return act;
  }
  const known = controlsOf(behaviours).join(', ');
  throw new InvalidArgumentError(`${endpoint} has no '${name}' (there is ${known === '' ? 'none' : known})`);
}
