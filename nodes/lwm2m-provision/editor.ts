import { explainChoice, nodeLabelStyle } from '../shared/editor';

RED.nodes.registerType('lwm2m-provision', {
  category: 'LwM2M',
  color: '#C9B6DE',
  icon: 'lwm2m-provision.svg',
  paletteLabel() {
    return this._('lwm2m-provision.palette');
  },
  defaults: {
    name: { value: '' },
    server: { value: '', type: 'lwm2m-server', required: true },
    action: { value: 'put' },
  },
  inputs: 1,
  outputs: 1,
  label() {
    return this.name || this._('lwm2m-provision.label');
  },
  labelStyle() {
    return nodeLabelStyle(this);
  },
  inputLabels() {
    return this._('lwm2m-provision.port.input');
  },
  outputLabels() {
    return this._('lwm2m-provision.port.output');
  },
  oneditprepare() {
    explainChoice('action', 'put', (action) => this._(`lwm2m-provision.action.hint.${action}`));
  },
});
