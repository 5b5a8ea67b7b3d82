import type { NodeAPI, NodeDef } from 'node-red';
import { checkAccessSettings } from '../../src/index';
import { NO_RIGHTS, type AccessNode } from './access-node';

interface AccessConfig extends NodeDef {
  roles?: unknown;
  /** As flows say it; `members` is what the editor calls it, where `users` of a config node are the nodes that use it. */
  users?: unknown;
  members?: unknown;
  /** `allow` or `deny`. */
  default?: unknown;
}

/** Who may do what to which devices: the rights of the servers that are set to this node. */
export = function (RED: NodeAPI): void {
  function Lwm2mAccess(this: AccessNode, config: AccessConfig): void {
    RED.nodes.createNode(this, config);
    try {
      const { roles, default: byDefault } = config;
      this.access = checkAccessSettings({ roles: listOf(roles), users: usersOf(config), default: byDefault });
    } catch (error) {
      // A mistake must not leave the doors open.
      this.access = NO_RIGHTS;
      this.error(`nobody may do anything: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  RED.nodes.registerType('lwm2m-access', Lwm2mAccess);

  RED.httpAdmin.get('/lwm2m/access/:id', RED.auth.needsPermission('lwm2m.read'), (request, response) => {
    const node = RED.nodes.getNode(String(request.params['id'])) as AccessNode | null;
    response.json({ users: node?.type === 'lwm2m-access' ? (node.access?.users ?? []) : null });
  });
};

/** A flow that was written by hand and then opened in the editor may have both, of which the editor's is empty. */
function usersOf({ members, users }: AccessConfig): unknown {
  const ofEditor = listOf(members);
  return users === undefined || (Array.isArray(ofEditor) && ofEditor.length > 0) ? ofEditor : listOf(users);
}

/** A list, or JSON that an environment variable has put in the place of one. */
function listOf(value: unknown): unknown {
  if (typeof value !== 'string' || !value.trim().startsWith('[')) return value;
  return JSON.parse(value) as unknown;
}
