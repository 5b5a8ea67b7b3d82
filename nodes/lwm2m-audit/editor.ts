import { nodeLabelStyle, validInteger } from '../shared/editor';

RED.nodes.registerType('lwm2m-audit', {
  category: 'LwM2M',
  color: '#C9B6DE',
  icon: 'lwm2m-audit.svg',
  paletteLabel() {
    return this._('lwm2m-audit.palette');
  },
  defaults: {
    name: { value: '' },
    server: { value: '', type: 'lwm2m-server', required: true },
    user: { value: '' },
    endpoint: { value: '' },
    operation: { value: '' },
    outcome: { value: '' },
    limit: {
      value: '',
      validate(value, _options) {
        return validInteger(value, 1, 10_000);
      },
    },
    format: { value: 'array' },
  },
  inputs: 1,
  outputs: 1,
  label() {
    return this.name || this._('lwm2m-audit.label');
  },
  labelStyle() {
    return nodeLabelStyle(this);
  },
  inputLabels() {
    return this._('lwm2m-audit.port.input');
  },
  outputLabels() {
    return this._('lwm2m-audit.port.output');
  },
});
