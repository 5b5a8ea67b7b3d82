import { element } from './elements';

/** Fills an element with one checkbox a choice; `readCheckList` reads which are checked. */
export function prepareCheckList(id: string, choices: { value: string; label: string }[], checked: unknown): void {
  const home = document.getElementById(id);
  if (!home) return;
  for (const { value, label } of choices) {
    const box = element('input', { type: 'checkbox', value });
    box.checked = Array.isArray(checked) && checked.includes(value);
    home.append(element('label', {}, box, label));
  }
}

export function readCheckList(id: string): string[] {
  const boxes = document.querySelectorAll<HTMLInputElement>(`#${id} input`);
  return Array.from(boxes)
    .filter((box) => box.checked)
    .map((box) => box.value);
}
