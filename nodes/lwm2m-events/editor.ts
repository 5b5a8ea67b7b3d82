import {
  nodeLabel,
  nodeLabelStyle,
  prepareCheckList,
  prepareTarget,
  readCheckList,
  validTarget,
} from '../shared/editor';

/** What can happen to a device, in the order of its life, and to the server itself. */
const TOPICS = [
  'registered',
  'joined',
  'updated',
  'awake',
  'asleep',
  'deregistered',
  'expired',
  'suspended',
  'resumed',
  'overdue',
  'sent',
  'mismatch',
  'matched',
  'rejected',
  'trouble',
  'recovered',
];

RED.nodes.registerType('lwm2m-events', {
  category: 'LwM2M',
  color: '#9DC1E4',
  icon: 'lwm2m-events.svg',
  paletteLabel() {
    return this._('lwm2m-events.palette');
  },
  defaults: {
    name: { value: '' },
    server: { value: '', type: 'lwm2m-server', required: true },
    target: {
      value: '',
      validate(value, _options) {
        return validTarget(this, value);
      },
    },
    targetType: { value: 'endpoint' },
    topics: { value: [] },
  },
  inputs: 0,
  outputs: 1,
  label() {
    return nodeLabel(this, this._('lwm2m-events.label'));
  },
  labelStyle() {
    return nodeLabelStyle(this);
  },
  outputLabels() {
    return this._('lwm2m-events.port.output');
  },
  oneditprepare() {
    prepareTarget(true);
    const choices = TOPICS.map((value) => ({ value, label: this._(`lwm2m-events.topics.${value}`) }));
    prepareCheckList('lwm2m-topics', choices, this['topics']);
  },
  oneditsave() {
    Object.assign(this, { topics: readCheckList('lwm2m-topics') });
  },
});
