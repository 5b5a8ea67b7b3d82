import type { Node, NodeAPI } from 'node-red';
import { registerAdminRoutes } from '../shared/admin-routes';
import { flowStateOf } from '../shared/flow-state';
import type { ServerNode } from '../shared/server-node';
import type { EngineHost, HostVoice } from './engine-host';
import { EngineHosts } from './engine-hosts';
import { readServerSettings, type ServerSettings, type ServerConfig } from './server-settings';

export = function (RED: NodeAPI): void {
  flowStateOf(RED);
  const hosts = new EngineHosts(RED);

  function Lwm2mServer(this: ServerNode, config: ServerConfig): void {
    RED.nodes.createNode(this, config);
    let settings: ServerSettings;
    try {
      settings = readServerSettings(config, RED.settings.userDir ?? process.cwd());
    } catch (error) {
      // Nothing can start from these settings; the nodes that use them say so too.
      this.settingsError = error as Error;
      this.error(this.settingsError.message);
      return;
    }
    const host = hosts.acquire(this.id, voiceOf(this), settings);
    this.host = host;
    if (settings.store !== 'memory')
      this.log(`the ${settings.store} store comes with a later version: keeping all in memory`);
    this.on('close', (removed: boolean, done: () => void) => closeNode(this, host, removed, done));
  }

  function closeNode(node: Node, host: EngineHost, removed: boolean, done: () => void): void {
    void hosts.release(node.id, host, removed).finally(done);
  }

  RED.nodes.registerType('lwm2m-server', Lwm2mServer, {
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
