import {
  describeObject,
  listObjects,
  objectsOfDevice,
  type DeviceObject,
  type ObjectDetail,
  type ObjectSummary,
  type ResourceSummary,
} from './api';
import { element } from './elements';
import { unavailableText } from './target-picker';
import { text } from './text';

/** So many instances are offered for an object that may have several; any other id can be typed. */
const OFFERED_INSTANCES = 4;

export interface BrowserOptions {
  /** The button that opened the browser. */
  opener: JQueryElement;
  /** The device that the node is set to: what it has comes first, with its real instances. */
  endpoint: string | undefined;
  /** Whether the field takes several paths. */
  several: boolean;
  /** `add` keeps the paths that are there. */
  choose(path: string, add: boolean): void;
}

/** Opens a browser of objects, instances and resources with their names, types and units below a field. */
export function openObjectBrowser(options: BrowserOptions): void {
  const content = element('div', { class: 'lwm2m-browser', role: 'dialog', 'aria-label': text('browser.title') });
  const panel = RED.popover.panel($(content));
  const close = (): void => {
    panel.hide();
    options.opener[0]?.focus();
  };
  content.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    event.stopPropagation();
    close();
  });
  content.append(element('div', { class: 'lwm2m-browser-note', role: 'status' }, text('browser.loading')));
  panel.show({ target: options.opener, align: 'left' });
  void load(options.endpoint).then((items) => {
    if (typeof items === 'string') content.replaceChildren(noteOf(items));
    else fill(content, items, options, close);
  });
}

/** The device's own objects, then all others; or why there are none. */
async function load(endpoint: string | undefined): Promise<TreeItem[] | string> {
  const [all, own] = await Promise.all([listObjects(), endpoint === undefined ? [] : objectsOfDevice(endpoint)]);
  if ('unavailable' in all) return unavailableText(all.unavailable);
  const others = all.data.filter(({ id }) => !own.some((object) => object.id === id));
  return [...own.map(deviceObjectItem), ...others.map((object) => objectItem(object))];
}

function deviceObjectItem({ id, version, name, instances }: DeviceObject): TreeItem {
  return { ...objectItem({ id, version, name: name || `/${id}` }, instances), icon: 'fa fa-check-square-o' };
}

function noteOf(sentence: string): HTMLElement {
  return element('div', { class: 'lwm2m-browser-note', role: 'status' }, sentence);
}

function fill(content: HTMLElement, items: TreeItem[], options: BrowserOptions, close: () => void): void {
  const search = element('input', {
    type: 'search',
    placeholder: text('browser.search'),
    'aria-label': text('browser.search'),
  });
  const tree = element('div', { class: 'lwm2m-browser-tree' });
  const detail = element('div', { class: 'lwm2m-browser-detail', role: 'status' }, text('browser.choose'));
  const use = button(text('browser.use'), 'red-ui-button lwm2m-browser-use');
  const add = button(text('browser.add'), 'red-ui-button lwm2m-browser-add');
  const buttons = element('div', { class: 'lwm2m-browser-buttons' }, ...(options.several ? [add, use] : [use]));
  content.replaceChildren(search, tree, detail, buttons);

  let chosen: TreeItem | undefined;
  const choose = (adding: boolean): void => {
    if (!chosen) return;
    options.choose(chosen.path, adding);
    if (!adding) close();
  };
  use.addEventListener('click', () => choose(false));
  add.addEventListener('click', () => choose(true));
  const list = $(tree).treeList({ data: items, ariaLabel: text('browser.title'), selectable: true });
  list.on('treelistselect', (_event, item: TreeItem) => {
    chosen = item;
    use.disabled = add.disabled = false;
    detail.textContent = item.detail ?? item.path;
  });
  list.on('treelistconfirm', () => choose(false));
  tree.addEventListener('dblclick', () => choose(false));
  search.addEventListener('input', () => {
    const words = search.value.trim().toLowerCase();
    list.treeList('filter', words === '' ? null : (item) => matches(item, words));
  });
  search.focus();
}

/** Only objects are searched: their resources are not loaded until one is opened. */
function matches(item: TreeItem, words: string): boolean {
  const [, ...ids] = item.path.split('/');
  return ids.length === 1 && `${item.path} ${item.label}`.toLowerCase().includes(words);
}

function button(label: string, className: string): HTMLButtonElement {
  return element('button', { type: 'button', class: className, disabled: '' }, label);
}

function objectItem(object: ObjectSummary, instances?: number[]): TreeItem {
  const path = `/${object.id}`;
  return {
    label: object.name,
    sublabel: path,
    icon: 'fa fa-cube',
    path,
    detail: `${path} · ${object.name} · ${text('browser.version', { version: object.version })}`,
    children: (done) => {
      void describeObject(object.id, object.version).then((answer) => {
        done('unavailable' in answer ? [] : instanceItems(answer.data, instances));
      });
    },
  };
}

function instanceItems(object: ObjectDetail, instances?: number[]): TreeItem[] {
  const offered = Array.from({ length: object.multiple ? OFFERED_INSTANCES : 1 }, (_, instance) => instance);
  return (instances ?? offered).map((instance) => {
    const path = `/${object.id}/${instance}`;
    const name = text('browser.instance', { instance });
    return {
      label: name,
      sublabel: path,
      icon: 'fa fa-clone',
      path,
      detail: `${path} · ${object.name} · ${name}`,
      children: object.resources.map((resource) => resourceItem(path, resource)),
    };
  });
}

function resourceItem(instancePath: string, resource: ResourceSummary): TreeItem {
  const path = `${instancePath}/${resource.id}`;
  return {
    label: resource.name,
    sublabel: [path, resource.operations, resource.units].filter((part) => part !== '').join(' · '),
    icon: resource.operations === 'E' ? 'fa fa-play' : 'fa fa-tag',
    path,
    detail: `${path} · ${describeResource(resource)}`,
  };
}

/** `Dimmer (integer, 0..100, %, RW)`. */
export function describeResource(resource: ResourceSummary): string {
  const type = resource.type === 'none' ? '' : resource.type;
  const facts = [type, resource.range, resource.units, resource.operations].filter((fact) => fact !== '');
  return facts.length === 0 ? resource.name : `${resource.name} (${facts.join(', ')})`;
}
