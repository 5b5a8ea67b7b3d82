import type { Node, NodeAPI, NodeDef } from 'node-red';
import type { HostEvent } from '../lwm2m-server/device-events';
import { flowStateOf } from '../shared/flow-state';
import { findHost } from '../shared/server-node';
import { startStatus } from '../shared/status-line';
import type { TargetConfig } from '../shared/target';
import { EventFilter } from './event-filter';
import { messageOf } from './event-message';

interface EventsConfig extends NodeDef, TargetConfig {
  server: string;
  topics?: unknown;
}

/** The lifecycle of devices as messages. */
export = function (RED: NodeAPI): void {
  flowStateOf(RED);

  function EventsNode(this: Node, config: EventsConfig): void {
    RED.nodes.createNode(this, config);
    const { status, end } = startStatus(RED, this, config.server);
    this.on('close', end);
    const host = findHost(RED, config.server);
    if (host === undefined) return;

    const topics = topicsOf(config.topics);
    // Flows that take all events take devices to be what they are of.
    const isAskedFor = (event: HostEvent): boolean =>
      topics.size === 0 ? 'endpoint' in event : topics.has(event.topic);
    const filter = new EventFilter(RED, this, config, host.engine);
    let lastError = '';
    const handle = async (event: HostEvent): Promise<void> => {
      try {
        if (!(await filter.passes(event))) return;
        lastError = '';
        status.note(event.topic);
        this.send(messageOf(event));
      } catch (error) {
        // Once, not at each event.
        if (String(error) !== lastError) this.error(error, messageOf(event));
        lastError = String(error);
        status.failed(error as Error);
      }
    };
    // One after the other, since a target that is looked up may take its time.
    let turn = Promise.resolve();
    const ignore = host.devices.listen((event) => {
      if (isAskedFor(event)) turn = turn.then(() => handle(event));
    });
    this.on('close', ignore);
  }

  RED.nodes.registerType('lwm2m-events', EventsNode);
};

/** The topics to send; none: all of devices. */
function topicsOf(value: unknown): Set<unknown> {
  return new Set(Array.isArray(value) ? value : []);
}
