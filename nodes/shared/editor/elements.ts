/** Small helpers around the DOM, so that no dialog builds HTML from strings that devices supply. */

type Attributes = Record<string, string | number | boolean>;

/** Makes an element; its children are elements or plain text, never markup. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  made.append(...children);
  return made;
}

/** The field of the open dialog for a property, whichever kind of node is edited. */
export function field(property: string): HTMLInputElement | null {
  return document.querySelector<HTMLInputElement>(`#node-input-${property}, #node-config-input-${property}`);
}

/** The text input that a TypedInput shows in place of its (then hidden) field. */
export function typedInputBox(property: string): HTMLInputElement | null {
  const container = field(property)?.nextElementSibling;
  return container?.querySelector<HTMLInputElement>('input.red-ui-typedInput-input') ?? null;
}
