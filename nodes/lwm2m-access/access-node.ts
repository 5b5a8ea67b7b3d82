import type { Node, NodeAPI } from 'node-red';
import type { AccessSettings } from '../../src/index';

/** A deployed `lwm2m-access` config node. */
export interface AccessNode extends Node {
  /** Who may do what; nobody anything when the node's settings cannot be read. */
  access?: AccessSettings;
}

/** Rights of which nobody has any. */
export const NO_RIGHTS: AccessSettings = {};

/**
 * The rights that a server is set to.
 * @param id of the node; empty: none are checked.
 * @returns `missing` when there is no such node; then nobody may do anything, since somebody wanted rights to be checked.
 */
export function accessOf(RED: NodeAPI, id: string | undefined): { settings?: AccessSettings; missing?: true } {
  if (id === undefined || id.trim() === '') return {};
  const node = RED.nodes.getNode(id) as AccessNode | null;
  return node?.access === undefined ? { settings: NO_RIGHTS, missing: true } : { settings: node.access };
}
