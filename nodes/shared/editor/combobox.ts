import { element } from './elements';
import { text } from './text';

export interface Suggestion {
  /** What goes into the field. */
  value: string;
  /** What is said about it, right of the value. */
  detail?: string;
}

export interface Suggestions {
  items: Suggestion[];
  /** A sentence below the list: why there is nothing, or that there is more. */
  note?: string;
}

export interface ComboboxOptions {
  /** The accessible name of the list. */
  label: string;
  /** Whether suggestions make sense now; the field may be used for something else. */
  enabled(): boolean;
  /** Looks up what fits the text; resolves `undefined` when a later search has overtaken it. */
  search(text: string): Promise<Suggestions | undefined>;
  /** Puts the chosen value into the field. */
  choose(value: string): void;
}

const SEARCH_DELAY = 150;

/** Bounds of the list's height, px. */
const LOWEST = 80;
const HIGHEST = 330;

let lists = 0;

/**
 * Suggestions below a text field, in the combobox pattern of ARIA. What was typed is only ever replaced by what the
 * user picks with an arrow key or the pointer: a name that is not in the list is as good as one that is.
 */
export function attachCombobox(input: HTMLInputElement, options: ComboboxOptions): void {
  const list = new SuggestionList(input, options);
  let timer: number | undefined;
  const searchSoon = (): void => {
    window.clearTimeout(timer);
    timer = window.setTimeout(() => void list.search(), SEARCH_DELAY);
  };
  input.addEventListener('input', searchSoon);
  input.addEventListener('click', () => void list.search());
  input.addEventListener('keydown', (event) => list.keydown(event));
  input.addEventListener('blur', () => {
    window.clearTimeout(timer);
    list.close();
  });
}

class SuggestionList {
  private readonly id = `lwm2m-suggestions-${++lists}`;
  private box: HTMLElement | undefined;
  private active = -1;
  private items: Suggestion[] = [];
  private searches = 0;

  constructor(
    private readonly input: HTMLInputElement,
    private readonly options: ComboboxOptions,
  ) {
    for (const [name, value] of Object.entries({
      role: 'combobox',
      'aria-autocomplete': 'list',
      'aria-expanded': 'false',
    })) {
      input.setAttribute(name, value);
    }
  }

  async search(): Promise<void> {
    if (!this.options.enabled()) return this.close();
    const search = ++this.searches;
    const found = await this.options.search(this.input.value.trim());
    const current = search === this.searches && document.activeElement === this.input && this.options.enabled();
    if (found && current) this.show(found);
  }

  keydown(event: KeyboardEvent): void {
    if (!this.options.enabled()) return;
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      event.stopPropagation();
      if (this.box) this.activate(this.active + (event.key === 'ArrowDown' ? 1 : -1));
      else void this.search();
    } else if (this.box && event.key === 'Escape') {
      event.preventDefault();
      event.stopPropagation();
      this.close();
    } else if (this.box && event.key === 'Enter' && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      this.pick(this.items[this.active]);
    }
  }

  close(): void {
    this.searches++;
    this.box?.remove();
    this.box = undefined;
    this.active = -1;
    this.input.setAttribute('aria-expanded', 'false');
    this.input.removeAttribute('aria-activedescendant');
    this.input.removeAttribute('aria-controls');
  }

  private show({ items, note }: Suggestions): void {
    this.close();
    this.items = items;
    const list = element('ul', { id: this.id, role: 'listbox', 'aria-label': this.options.label });
    items.forEach((item, index) => list.append(this.row(item, index)));
    this.box = element('div', { class: 'lwm2m-suggestions' }, list);
    const said = note ?? (items.length === 0 ? text('picker.nothing') : undefined);
    if (said !== undefined) this.box.append(element('div', { class: 'lwm2m-suggestions-note', role: 'status' }, said));
    this.place(this.box);
    this.input.setAttribute('aria-expanded', 'true');
    this.input.setAttribute('aria-controls', this.id);
  }

  private row(item: Suggestion, index: number): HTMLElement {
    const row = element('li', { id: `${this.id}-${index}`, role: 'option', 'aria-selected': 'false' });
    row.append(element('span', { class: 'lwm2m-suggestion' }, item.value));
    if (item.detail !== undefined) row.append(element('span', { class: 'lwm2m-suggestion-detail' }, item.detail));
    row.addEventListener('mousedown', (event) => {
      event.preventDefault();
      this.pick(item);
    });
    return row;
  }

  private place(box: HTMLElement): void {
    const around = (this.input.closest('.red-ui-typedInput-container') ?? this.input).getBoundingClientRect();
    document.body.append(box);
    const below = window.innerHeight - around.bottom;
    const above = Math.min(box.offsetHeight, HIGHEST) > below && around.top > below;
    box.style.left = `${around.left}px`;
    box.style.width = `${around.width}px`;
    box.style.maxHeight = `${Math.min(HIGHEST, Math.max(LOWEST, (above ? around.top : below) - 8))}px`;
    box.style.top = above ? `${Math.max(4, around.top - box.offsetHeight - 2)}px` : `${around.bottom + 2}px`;
  }

  private activate(index: number): void {
    const rows = this.box?.querySelectorAll('[role=option]') ?? [];
    if (rows.length === 0) return;
    rows[this.active]?.setAttribute('aria-selected', 'false');
    this.active = (index + rows.length) % rows.length;
    const row = rows[this.active];
    row?.setAttribute('aria-selected', 'true');
    row?.scrollIntoView({ block: 'nearest' });
    this.input.setAttribute('aria-activedescendant', `${this.id}-${this.active}`);
  }

  private pick(item: Suggestion | undefined): void {
    this.close();
    if (item) this.options.choose(item.value);
  }
}
