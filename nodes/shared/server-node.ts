import type { Node, NodeAPI } from 'node-red';
import { InvalidArgumentError } from '../../src/index';
import type { EngineHost } from '../lwm2m-server/engine-host';
import type { ServerCredentials } from '../lwm2m-server/server-settings';

/** A deployed `lwm2m-server` config node. Without a host its settings are wrong. */
export interface ServerNode extends Node<ServerCredentials> {
  host?: EngineHost;
  settingsError?: Error;
}

/**
 * The host of the server that a node uses.
 * @throws {InvalidArgumentError} no server is chosen or deployed, or its settings are wrong.
 */
export function hostOf(RED: NodeAPI, serverId: string | undefined): EngineHost {
  const node = serverId ? (RED.nodes.getNode(serverId) as ServerNode | null) : null;
  if (node?.host !== undefined) return node.host;
  const reason = node?.settingsError?.message;
  throw new InvalidArgumentError(
    reason === undefined ? 'no server is deployed for this node' : `wrong server settings: ${reason}`,
  );
}

/** Whether the server is deployed and cannot start as it is set. */
export function hasWrongSettings(RED: NodeAPI, serverId: string | undefined): boolean {
  const node = serverId ? (RED.nodes.getNode(serverId) as ServerNode | null) : null;
  return node?.settingsError !== undefined;
}

/** The same for a node that is being made: without a server it says so in its status, and each message gets the reason. */
export function findHost(RED: NodeAPI, serverId: string | undefined): EngineHost | undefined {
  return serverId ? (RED.nodes.getNode(serverId) as ServerNode | null)?.host : undefined;
}
