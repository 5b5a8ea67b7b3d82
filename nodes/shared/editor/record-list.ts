import { element } from './elements';

/** One field of each record. */
export interface RecordField {
  readonly name: string;
  readonly label: string;
  readonly placeholder: string;
  /** Words, separated by spaces or commas. */
  readonly list?: boolean;
}

type EditedRecord = Record<string, unknown>;

/** What an item of the list is: its inputs, by the name of their field. */
type Item = { record: EditedRecord; inputs?: Map<string, HTMLInputElement>; fields?: readonly RecordField[] };

/** Makes an ordered list of an `<ol>` whose items are records of some fields; `readRecordList` reads them. */
export function prepareRecordList(
  id: string,
  fields: readonly RecordField[],
  records: unknown,
  addLabel: string,
): void {
  const list = $(`#${id}`);
  list.editableList({
    addButton: addLabel,
    removable: true,
    sortable: true,
    height: 'auto',
    addItem(container, _index, item) {
      const data = item as Partial<Item>;
      data.record ??= {};
      data.fields = fields;
      data.inputs = new Map();
      const home = container[0];
      if (home === undefined) return;
      home.classList.add('lwm2m-record');
      for (const field of fields) {
        const input = element('input', { type: 'text', placeholder: field.placeholder, 'data-field': field.name });
        input.value = textOf(data.record[field.name]);
        data.inputs.set(field.name, input);
        home.append(element('label', {}, element('span', {}, field.label), input));
      }
    },
  });
  for (const record of Array.isArray(records) ? (records as EditedRecord[]) : []) {
    list.editableList('addItem', { record });
  }
}

/** The records as they stand; a field that is empty is left out, and a record without any is none. */
export function readRecordList(id: string): EditedRecord[] {
  const records: EditedRecord[] = [];
  $(`#${id}`)
    .editableList('items')
    .each((_index, item) => {
      const { inputs, fields = [] } = $(item).data('data') as Item;
      const record: EditedRecord = {};
      for (const { name, list } of fields) {
        const value = inputs?.get(name)?.value.trim() ?? '';
        if (value !== '') record[name] = list === true ? words(value) : value;
      }
      if (Object.keys(record).length > 0) records.push(record);
    });
  return records;
}

function words(text: string): string[] {
  return text.split(/[\s,]+/).filter((word) => word !== '');
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.join(' ');
  return typeof value === 'string' ? value : '';
}
