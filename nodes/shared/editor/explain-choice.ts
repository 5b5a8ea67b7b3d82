import { field } from './elements';

/**
 * Keeps the hint `lwm2m-<property>-hint` below a choice in step with what is chosen.
 * @param fallback what a flow means that does not say.
 */
export function explainChoice(property: string, fallback: string, textOf: (value: string) => string): void {
  const choice = field(property);
  const hint = document.getElementById(`lwm2m-${property}-hint`);
  if (!choice || !hint) return;
  if (choice.value === '') choice.value = fallback;
  const explain = (): void => hint.replaceChildren(textOf(choice.value));
  choice.addEventListener('change', explain);
  explain();
}
