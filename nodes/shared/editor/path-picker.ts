import { attachCombobox, type Suggestions } from './combobox';
import { element, field, typedInputBox } from './elements';
import { describeResource, openObjectBrowser } from './object-browser';
import { ObjectCatalog } from './object-catalog';
import { pathProblem, pathSegments, splitPaths } from './paths';
import { unavailableText } from './target-picker';
import { text } from './text';

const SHOWN_SUGGESTIONS = 50;

/** Makes the field `path` one path (or several), browsed or typed, or a place to take it from. */
export function preparePath(several: boolean): void {
  preparePathField('path', several, ['msg', 'flow', 'global', 'env', 'jsonata'], text('path.byMessage'));
}

/** Makes a field a list of paths, browsed or typed; `readPathList` reads it. */
export function preparePathList(property: string, paths: unknown, placeholder: string): void {
  $(`#node-input-${property}`).val(Array.isArray(paths) ? paths.join(' ') : '');
  preparePathField(property, true, [], placeholder);
}

export function readPathList(property: string): string[] {
  return splitPaths($(`#node-input-${property}`).typedInput('value'));
}

function preparePathField(property: string, several: boolean, otherTypes: string[], placeholder: string): void {
  const input = $(`#node-input-${property}`);
  const browse = Object.assign(() => openBrowser(property, several), { icon: 'fa-sitemap' });
  const path = { value: 'str', label: text('path.str'), icon: 'fa fa-sitemap', expand: browse };
  const typeField = otherTypes.length > 0 ? { typeField: `#node-input-${property}Type` } : {};
  input.typedInput({ types: [path, ...otherTypes], default: 'str', ...typeField });
  const box = typedInputBox(property);
  if (!box) return;
  box.placeholder = placeholder;
  box.setAttribute('aria-label', text('label.path'));
  const opener = box.closest('.red-ui-typedInput-container')?.querySelector('.red-ui-typedInput-option-expand');
  opener?.setAttribute('aria-label', text('browser.title'));
  opener?.setAttribute('title', text('browser.title'));
  const catalog = new ObjectCatalog();
  const isPath = (): boolean => input.typedInput('type') === 'str';
  attachCombobox(box, {
    label: text('picker.paths'),
    enabled: isPath,
    search: (typed) => suggestPaths(catalog, typed),
    choose: (path) => {
      const earlier = splitPaths(input.typedInput('value')).slice(0, -1);
      input.typedInput('value', [...earlier, path].join(' '));
    },
  });
  describeChoice(catalog, input, box, isPath);
}

function openBrowser(property: string, several: boolean): void {
  const input = $(`#node-input-${property}`);
  const container = field(property)?.nextElementSibling;
  const opener = container?.querySelector('.red-ui-typedInput-option-expand');
  if (!opener) return;
  openObjectBrowser({
    opener: $(opener),
    endpoint: field('targetType')?.value === 'endpoint' ? field('target')?.value || undefined : undefined,
    several,
    choose: (path, add) => {
      const paths = add ? splitPaths(input.typedInput('value')) : [];
      input.typedInput('value', [...paths.filter((other) => other !== path), path].join(' '));
    },
  });
}

/** Objects for `/` and the beginning of a name, then the resources of the object that has been named. */
async function suggestPaths(catalog: ObjectCatalog, typed: string): Promise<Suggestions | undefined> {
  const last = splitPaths(typed).at(-1) ?? '';
  const [objectId, instance, resource = ''] = last.startsWith('/') ? pathSegments(last) : [last];
  const objects = await catalog.list();
  if ('unavailable' in objects) return { items: [], note: unavailableText(objects.unavailable) };
  if (instance === undefined) {
    const found = objects.data.filter(({ id, name }) => fits(objectId ?? '', id, name));
    return bounded(found.map(({ id, name }) => ({ value: `/${id}`, detail: name })));
  }
  const object = await catalog.find(objectId ?? '');
  if (!object) return { items: [] };
  const found = object.resources.filter(({ id, name }) => fits(resource, id, name));
  const base = `/${object.id}/${/^[0-9]+$/.test(instance) ? instance : '0'}`;
  return bounded(found.map((item) => ({ value: `${base}/${item.id}`, detail: describeResource(item) })));
}

function fits(typed: string, id: number, name: string): boolean {
  return String(id).startsWith(typed) || name.toLowerCase().includes(typed.toLowerCase());
}

function bounded(items: Suggestions['items']): Suggestions {
  if (items.length <= SHOWN_SUGGESTIONS) return { items };
  return { items: items.slice(0, SHOWN_SUGGESTIONS), note: text('picker.more') };
}

/** Says below the field what the paths mean, as far as the server knows. */
function describeChoice(catalog: ObjectCatalog, input: JQueryElement, box: HTMLElement, isPath: () => boolean): void {
  const said = element('div', { class: 'lwm2m-path-meaning', role: 'status' });
  box.closest('.form-row')?.append(said);
  let shown = 0;
  const describe = async (): Promise<void> => {
    const turn = ++shown;
    const paths = isPath() ? splitPaths(input.typedInput('value')) : [];
    const meanings = await Promise.all(paths.slice(0, SHOWN_SUGGESTIONS).map((path) => meaningOf(catalog, path)));
    if (turn !== shown) return;
    said.replaceChildren(...meanings.filter((meaning) => meaning !== '').map((meaning) => element('div', {}, meaning)));
  };
  input.on('change', () => void describe());
  void describe();
}

/** `Light Control › 0 › Dimmer (integer, %, RW)`; nothing for what the server does not know. */
async function meaningOf(catalog: ObjectCatalog, path: string): Promise<string> {
  const [objectId, instance, resourceId, ...rest] = pathProblem(path) === undefined ? pathSegments(path) : [];
  const object = objectId === undefined ? undefined : await catalog.find(objectId);
  if (!object) return '';
  const resource = object.resources.find(({ id, name }) => String(id) === resourceId || name === resourceId);
  const parts = [object.name, instance, resource ? describeResource(resource) : resourceId, ...rest];
  return parts.filter((part) => part !== undefined).join(' › ');
}
