import { explainChoice, nodeLabelStyle } from '../shared/editor';

/** Actions that answer records, in one format or the other. */
const ANSWERS_RECORDS = ['get', 'list', 'msg'];

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
    format: { value: '' },
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
    const formatRow = document.getElementById('lwm2m-format-row');
    explainChoice('action', 'put', (action) => {
      if (formatRow) formatRow.hidden = !ANSWERS_RECORDS.includes(action);
      return this._(`lwm2m-provision.action.hint.${action}`);
    });
  },
});
