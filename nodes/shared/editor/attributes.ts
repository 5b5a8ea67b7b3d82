import { element, field } from './elements';
import { text } from './text';

const SECONDS = ['pmin', 'pmax', 'epmin', 'epmax'];

/** Says behind each attribute's field its unit and what the specification calls it. */
export function prepareAttributes(names: readonly string[]): void {
  for (const name of names) {
    const input = field(name);
    if (!input) continue;
    input.placeholder = text('attributes.unset');
    input.after(element('span', { class: 'lwm2m-unit' }, SECONDS.includes(name) ? `s (${name})` : `(${name})`));
  }
}
