import { text } from './text';

/** How a typed property reads on the canvas. */
function typedText(value: unknown, type: unknown): string {
  if (typeof value !== 'string' || value === '') return '';
  switch (type) {
    case 'msg':
    case 'flow':
    case 'global':
      return `${type}.${value}`;
    case 'env':
      return `$${value}`;
    case 'group':
      return text('short.group', { name: value });
    default:
      return value;
  }
}

/** The label on the canvas: the name, or else whom the node talks to and about what, or else what it does. */
export function nodeLabel(node: EditorNode, verb: string): string {
  if (node.name) return node.name;
  const parts = [typedText(node['target'], node['targetType']), typedText(node['path'], node['pathType'])];
  return parts.filter((part) => part !== '').join(' ') || verb;
}

/** A name that the author gave is set apart from a label that was made up. */
export function nodeLabelStyle(node: EditorNode): string {
  return node.name ? 'node_label_italic' : '';
}
