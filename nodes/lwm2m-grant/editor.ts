import { explainChoice, nodeLabelStyle } from '../shared/editor';

RED.nodes.registerType('lwm2m-grant', {
  category: 'LwM2M',
  color: '#C9B6DE',
  icon: 'lwm2m-grant.svg',
  paletteLabel() {
    return this._('lwm2m-grant.palette');
  },
  defaults: {
    name: { value: '' },
    server: { value: '', type: 'lwm2m-server', required: true },
    action: { value: 'grant' },
  },
  inputs: 1,
  outputs: 1,
  label() {
    return this.name || this._('lwm2m-grant.label');
  },
  labelStyle() {
    return nodeLabelStyle(this);
  },
  inputLabels() {
    return this._('lwm2m-grant.port.input');
  },
  outputLabels() {
    return this._('lwm2m-grant.port.output');
  },
  oneditprepare() {
    explainChoice('action', 'grant', (action) => this._(`lwm2m-grant.action.hint.${action}`));
  },
});
