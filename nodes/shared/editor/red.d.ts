/** The part of the editor's API that our dialogs use (Node-RED 4.1 and newer); @types/node-red is too old for it. */

interface EditorNode {
  readonly id: string;
  readonly type: string;
  readonly name?: string;
  /** The translation function of the node's own catalog. */
  _(key: string, parameters?: Record<string, string | number>): string;
  readonly [property: string]: unknown;
}

/** What a validator answers: fine, or a sentence that says what is wrong. */
type Validity = true | string;

interface NodeProperty {
  value: unknown;
  type?: string;
  required?: boolean;
  validate?(this: EditorNode, value: unknown, options: unknown): Validity;
}

interface NodeDefinition {
  category: string;
  color?: string;
  icon?: string;
  paletteLabel?: string | ((this: EditorNode) => string);
  defaults: Record<string, NodeProperty>;
  credentials?: Record<string, { type: 'text' | 'password' }>;
  inputs?: 0 | 1;
  outputs?: number;
  align?: 'left' | 'right';
  label?(this: EditorNode): string;
  labelStyle?(this: EditorNode): string;
  inputLabels?(this: EditorNode): string;
  outputLabels?(this: EditorNode, index: number): string;
  oneditprepare?(this: EditorNode): void;
  oneditsave?(this: EditorNode): void;
}

interface TreeItem {
  label: string;
  sublabel?: string;
  icon?: string;
  children?: TreeItem[] | ((done: (children: TreeItem[]) => void, item: TreeItem) => void);
  /** What choosing the item yields. */
  path: string;
  detail?: string;
}

interface PopoverPanel {
  readonly container: JQueryElement;
  show(options: { target: JQueryElement; align?: 'left' | 'right'; onclose?(): void }): void;
  hide(dispose?: boolean): void;
}

interface TypedInputType {
  value: string;
  label: string;
  icon?: string;
  hasValue?: boolean;
  expand?: (() => void) & { icon?: string };
}

interface JQueryElement {
  readonly length: number;
  readonly [index: number]: HTMLElement;
  val(): unknown;
  val(value: string): this;
  on(event: string, listener: (event: unknown, ...details: never[]) => void): this;
  trigger(event: string): this;
  find(selector: string): JQueryElement;
  typedInput(options: { types: (string | TypedInputType)[]; default?: string; typeField?: string }): this;
  typedInput(property: 'value' | 'type'): string;
  typedInput(property: 'value' | 'type', value: string): void;
  editableList(options: {
    addButton?: string | boolean;
    removable?: boolean;
    sortable?: boolean;
    height?: string | number;
    addItem(container: JQueryElement, index: number, data: object): void;
  }): this;
  editableList(method: 'addItem', data: object): void;
  editableList(method: 'items'): JQueryElement;
  each(visit: (index: number, item: HTMLElement) => void): this;
  data(key: string): unknown;
  treeList(options: { data: TreeItem[]; ariaLabel?: string; selectable?: boolean }): this;
  treeList(method: 'filter', keep: ((item: TreeItem) => boolean) | null): number;
}

interface FailedRequest {
  status: number;
  responseJSON?: { code?: string };
}

interface JQueryRequest {
  done(listener: (data: unknown) => void): this;
  fail(listener: (request: FailedRequest) => void): this;
  abort(): void;
}

interface JQueryFactory {
  (target: string | Element): JQueryElement;
  /** Sends the editor's access token along. */
  ajax(settings: { url: string; dataType: 'json' }): JQueryRequest;
}

declare const $: JQueryFactory;

declare const RED: {
  _(key: string, parameters?: Record<string, string | number>): string;
  nodes: {
    registerType(type: string, definition: NodeDefinition): void;
    node(id: string): EditorNode | null;
    eachConfig(visit: (node: EditorNode) => void): void;
  };
  events: { on(event: 'nodes:add', listener: (node: EditorNode) => void): void };
  clipboard: { copyText(value: string, element: JQueryElement, message?: string): boolean };
  popover: { panel(content: JQueryElement): PopoverPanel };
  utils: {
    validateTypedProperty(value: unknown, type: string, options: Record<string, unknown>): Validity | false;
  };
};
