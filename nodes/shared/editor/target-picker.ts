import { findDevices, type Unavailable } from './api';
import { attachCombobox, type Suggestions } from './combobox';
import { typedInputBox } from './elements';
import { text } from './text';

const SHOWN_DEVICES = 20;

/** Makes the field `target` a choice of device, group, selector or a place to take it from. */
export function prepareTarget(emptyMeansAll: boolean): void {
  const types = [
    { value: 'endpoint', label: text('target.endpoint'), icon: 'fa fa-microchip' },
    { value: 'group', label: text('target.group'), icon: 'fa fa-object-group' },
    { value: 'selector', label: text('target.selector'), icon: 'fa fa-filter' },
    'msg',
    'flow',
    'global',
    'env',
  ];
  const input = $('#node-input-target').typedInput({ types, default: 'endpoint', typeField: '#node-input-targetType' });
  const box = typedInputBox('target');
  if (!box) return;
  const hint = (): void => {
    const type = input.typedInput('type');
    box.placeholder =
      type === 'selector' ? 'ep=lamp-* state:online' : text(emptyMeansAll ? 'target.all' : 'target.byMessage');
  };
  input.on('change', hint);
  hint();
  box.setAttribute('aria-label', text('label.target'));
  attachCombobox(box, {
    label: text('picker.devices'),
    enabled: () => input.typedInput('type') === 'endpoint',
    search: suggestDevices,
    choose: (endpoint) => input.typedInput('value', endpoint),
  });
}

async function suggestDevices(typed: string): Promise<Suggestions> {
  const answer = await findDevices(typed, SHOWN_DEVICES + 1);
  if ('unavailable' in answer) return { items: [], note: unavailableText(answer.unavailable) };
  const items = answer.data.slice(0, SHOWN_DEVICES).map(({ endpoint, connectivity }) => ({
    value: endpoint,
    detail: text(`connectivity.${connectivity}`),
  }));
  if (answer.data.length > SHOWN_DEVICES) return { items, note: text('picker.more') };
  return items.length > 0 ? { items } : { items, note: text(typed === '' ? 'picker.noDevices' : 'picker.noMatch') };
}

export function unavailableText(reason: Unavailable): string {
  switch (reason) {
    case 'no-server':
      return text('picker.noServer');
    case 'not-deployed':
      return text('picker.deployFirst');
    case 'unknown':
    case 'failed':
      return text('picker.failed');
  }
}
