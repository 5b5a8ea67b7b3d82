import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Node, NodeAPI } from 'node-red';
import { accessOf } from '../lwm2m-access/access-node';
import { registerAdminRoutes } from '../shared/admin-routes';
import { fingerprintOf } from '../shared/fingerprint';
import { flowStateOf } from '../shared/flow-state';
import { localServersOf } from '../shared/local-servers';
import type { ServerNode } from '../shared/server-node';
import { Survivors } from '../shared/survivors';
import { EngineHost, type HostVoice } from './engine-host';
import { readServerSettings } from './server-settings';
import type { ServerConfig, ServerCredentials } from './server-settings';

/** A runtime of tests has no user directory; nothing of it is to lie about where it was started. */
const NO_USER_DIR = path.join(tmpdir(), 'node-red-lwm2m');

export = function (RED: NodeAPI): void {
  flowStateOf(RED);
  const hosts = new Survivors<EngineHost>(RED, 'lwm2m-server');

  function Lwm2mServer(this: ServerNode, config: ServerConfig): void {
    RED.nodes.createNode(this, config);
    try {
      this.host = hostFor(this, config);
      attachAccess(this, this.host, config.access);
    } catch (error) {
      // Nothing can start from these settings; the nodes that use them say so too.
      this.settingsError = error as Error;
      this.error(this.settingsError.message);
      return;
    }
    const { host } = this;
    this.on('close', (removed: boolean, done: () => void) => closeNode(this, host, removed, done));
  }

  /** @throws {InvalidArgumentError} a setting that cannot be. */
  function hostFor(node: ServerNode, config: ServerConfig): EngineHost {
    const voice = voiceOf(node);
    const settings = readServerSettings(config, RED.settings.userDir ?? NO_USER_DIR, node.credentials);
    const host = hosts.acquire(node.id, fingerprintOf(settings), (before) => {
      const made = new EngineHost(RED, voice, settings, before);
      localServersOf(RED).add(made);
      return made;
    });
    host.adopt(voice);
    return host;
  }

  /** Before anything can be ordered. */
  function attachAccess(node: ServerNode, host: EngineHost, id: string | undefined): void {
    const { settings, missing } = accessOf(RED, id);
    if (missing === true) node.error('the access node of this server is not deployed: nobody may do anything');
    host.setAccess(settings);
  }

  /** A process that ends waits for its nodes and for nothing else, and a deploy looks the same to them. */
  function closeNode(node: Node, host: EngineHost, removed: boolean, done: () => void): void {
    void host
      .flush()
      .then(() => hosts.release(node.id, host, removed))
      .finally(done);
  }

  RED.nodes.registerType<ServerNode, ServerConfig, object, ServerCredentials>('lwm2m-server', Lwm2mServer, {
    credentials: {
      privateKey: { type: 'password' },
      certificate: { type: 'text' },
      trustAnchors: { type: 'text' },
    },
  });
  registerAdminRoutes(RED);
};

function voiceOf(node: Node): HostVoice {
  return {
    log: (text) => node.log(text),
    warn: (text) => node.warn(text),
    error: (text) => node.error(text),
    debug: (text) => node.debug(text),
  };
}
