import type { Node, NodeAPI, NodeDef, NodeMessageInFlow } from 'node-red';
import { parsePaths, type DeviceList, type ListOptions } from '../../src/index';
import { flowStateOf } from '../shared/flow-state';
import { NodeInput } from '../shared/node-input';
import { messageProperty, numberOption } from '../shared/options';
import { fillFailure } from '../shared/output';
import { hostOf } from '../shared/server-node';
import { startStatus } from '../shared/status-line';
import type { TargetConfig } from '../shared/target';
import { userOf } from '../shared/user';

interface DevicesConfig extends NodeDef, TargetConfig {
  server: string;
  paths?: unknown;
  /** Whether only what the user may read is listed. Never by message: it would show more than the flow's author meant. */
  readable?: unknown;
}

interface Listed extends DeviceList {
  /** The message asked for a page. */
  readonly isPart: boolean;
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
        ({ devices, total, isPart }) => {
          status.devices(devices.length);
          msg.payload = devices;
          if (isPart) msg.total = total;
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

  async function devicesOf(node: Node, config: DevicesConfig, msg: NodeMessageInFlow): Promise<Listed> {
    const engine = await hostOf(RED, config.server).ready();
    const input = new NodeInput(RED, node, config, msg, engine.definitions);
    const paths = input.list('paths');
    const wanted = paths === undefined ? undefined : parsePaths(paths, engine.definitions);
    const limit = numberOption(messageProperty(msg, 'limit'), 'msg.limit');
    const offset = numberOption(messageProperty(msg, 'offset'), 'msg.offset');
    const user = userOf(msg);
    const isReadable: ListOptions['isReadable'] = (endpoint, path) =>
      engine.denial('read', endpoint, user, [path]) === undefined;
    const list = await engine.listDevices(await input.optionalTarget(), {
      paths: wanted,
      limit,
      offset,
      ...(config.readable === true ? { isReadable } : {}),
    });
    return { ...list, isPart: limit !== undefined || offset !== undefined };
  }

  RED.nodes.registerType('lwm2m-devices', DevicesNode);
};
