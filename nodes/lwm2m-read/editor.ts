import { nodeLabel, nodeLabelStyle, preparePath, prepareTarget, text, validPath, validTarget } from '../shared/editor';

RED.nodes.registerType('lwm2m-read', {
  category: 'LwM2M',
  color: '#8CC5B6',
  icon: 'lwm2m-read.svg',
  paletteLabel() {
    return this._('lwm2m-read.palette');
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
    path: {
      value: '',
      validate(value, _options) {
        return validPath(this, value);
      },
    },
    pathType: { value: 'str' },
    contentFormat: { value: '' },
    keys: { value: '' },
  },
  inputs: 1,
  outputs: 2,
  label() {
    return nodeLabel(this, this._('lwm2m-read.label'));
  },
  labelStyle() {
    return nodeLabelStyle(this);
  },
  inputLabels() {
    return this._('lwm2m-read.port.input');
  },
  outputLabels(index) {
    return text(index === 0 ? 'port.result' : 'port.summary');
  },
  oneditprepare() {
    prepareTarget(false);
    preparePath(true);
  },
});
