import type { Node, NodeAPI, NodeDef, NodeMessageInFlow } from 'node-red';
import { parsePaths, type DeviceView } from '../../src/index';
import { flowStateOf } from '../shared/flow-state';
import { NodeInput } from '../shared/node-input';
import { fillFailure } from '../shared/output';
import { hostOf } from '../shared/server-node';
import { startStatus } from '../shared/status-line';
import type { TargetConfig } from '../shared/target';

interface DevicesConfig extends NodeDef, TargetConfig {
  server: string;
  paths?: unknown;
}

/** Lists devices: how they are connected, and their commanded and reported values. */
export = function (RED: NodeAPI): void {
  flowStateOf(RED);

  function DevicesNode(this: Node, config: DevicesConfig): void {
    RED.nodes.createNode(this, config);
    const { status, end } = startStatus(RED, this, config.server);
    this.on('close', end);
    this.on('input', (msg, send, done) => {
      devicesOf(this, config, msg).then(
        (devices) => {
          status.devices(devices.length);
          msg.payload = devices;
          send(msg);
          done();
        },
        (error: Error) => {
          status.failed(error);
          fillFailure(msg, { operation: 'devices' }, error);
          done(error);
        },
      );
    });
  }

  async function devicesOf(node: Node, config: DevicesConfig, msg: NodeMessageInFlow): Promise<DeviceView[]> {
    const engine = await hostOf(RED, config.server).ready();
    const input = new NodeInput(RED, node, config, msg, engine.definitions);
    const paths = input.list('paths');
    const wanted = paths === undefined ? undefined : parsePaths(paths, engine.definitions);
    return engine.devices(await input.optionalTarget(), wanted);
  }

  RED.nodes.registerType('lwm2m-devices', DevicesNode);
};
