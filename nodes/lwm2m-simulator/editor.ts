import { nodeLabelStyle, validInteger, validServerUri } from '../shared/editor';

/** More devices than one process should simulate beside its server. */
const MAX_COUNT = 10_000;

RED.nodes.registerType('lwm2m-simulator', {
  category: 'LwM2M',
  color: '#E4C78E',
  icon: 'lwm2m-simulator.svg',
  paletteLabel() {
    return this._('lwm2m-simulator.palette');
  },
  defaults: {
    name: { value: '' },
    kind: { value: 'street-light' },
    count: {
      value: 1,
      validate(value, _options) {
        return validInteger(value, 1, MAX_COUNT, false);
      },
    },
    endpointPrefix: { value: 'lamp-', required: true },
    serverUri: {
      value: 'coap://127.0.0.1:5683',
      validate(value, _options) {
        return validServerUri(value);
      },
    },
    lifetime: {
      value: 60,
      validate(value, _options) {
        return validInteger(value, 1, 2 ** 32 - 1, false);
      },
    },
  },
  inputs: 1,
  outputs: 1,
  label() {
    return this.name || `${String(this['count'])} × ${String(this['endpointPrefix'])}…`;
  },
  labelStyle() {
    return nodeLabelStyle(this);
  },
  inputLabels() {
    return this._('lwm2m-simulator.port.input');
  },
  outputLabels() {
    return this._('lwm2m-simulator.port.output');
  },
});
