import { element, field } from './elements';
import { text } from './text';

const UNITS: Record<string, string> = { pmin: 's', pmax: 's', epmin: 's', epmax: 's' };

/** Names each attribute's field for the screen reader and says its unit behind it. */
export function prepareAttributes(names: readonly string[]): void {
  for (const name of names) {
    const input = field(name);
    if (!input) continue;
    input.placeholder = text('attributes.unset');
    const unit = UNITS[name];
    if (unit !== undefined) input.after(element('span', { class: 'lwm2m-unit' }, unit));
  }
}
