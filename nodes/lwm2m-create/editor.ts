import {
  nodeLabel,
  nodeLabelStyle,
  preparePath,
  prepareTarget,
  text,
  validPath,
  validTarget,
  validTypedInput,
} from '../shared/editor';

RED.nodes.registerType('lwm2m-create', {
  category: 'LwM2M',
  color: '#8CC5B6',
  icon: 'lwm2m-create.svg',
  paletteLabel() {
    return this._('lwm2m-create.palette');
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
    value: {
      value: 'payload',
      validate(value, _options) {
        return validTypedInput(this, value, 'valueType', 'msg');
      },
    },
    valueType: { value: 'msg' },
    contentFormat: { value: '' },
    keys: { value: '' },
  },
  inputs: 1,
  outputs: 2,
  label() {
    return nodeLabel(this, this._('lwm2m-create.label'));
  },
  labelStyle() {
    return nodeLabelStyle(this);
  },
  inputLabels() {
    return this._('lwm2m-create.port.input');
  },
  outputLabels(index) {
    return text(index === 0 ? 'port.result' : 'port.summary');
  },
  oneditprepare() {
    prepareTarget(false);
    preparePath(false);
    $('#node-input-value').typedInput({
      types: ['msg', 'flow', 'global', 'str', 'num', 'bool', 'json', 'bin', 'date', 'jsonata', 'env'],
      default: 'msg',
      typeField: '#node-input-valueType',
    });
  },
});
