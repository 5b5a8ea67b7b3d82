import type { Node, NodeAPI } from 'node-red';
import { registerAdminRoutes } from '../shared/admin-routes';
import { flowStateOf } from '../shared/flow-state';
import { isEmpty } from '../shared/options';
import type { ServerNode } from '../shared/server-node';
import { Survivors } from '../shared/survivors';
import { EngineHost, type HostVoice } from './engine-host';
import { readServerSettings, type ServerSettings, type ServerConfig } from './server-settings';

export = function (RED: NodeAPI): void {
  flowStateOf(RED);
  const hosts = new Survivors<EngineHost>(RED);

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
    const voice = voiceOf(this);
    const host = hosts.acquire(this.id, JSON.stringify(settings), (before) => {
      // Once for an engine, not at each deploy.
      for (const text of notYet(config, settings)) this.log(text);
      return new EngineHost(RED, voice, settings, before);
    });
    host.adopt(voice);
    this.host = host;
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

/** What the settings ask for and this version cannot do yet. */
function notYet(config: ServerConfig, settings: ServerSettings): string[] {
  const texts: string[] = [];
  if (settings.store !== 'memory') texts.push(`the ${settings.store} store comes later: all is kept in memory`);
  if (!isEmpty(config.coapsPort)) texts.push('DTLS comes later: the coaps port is not opened');
  return texts;
}
