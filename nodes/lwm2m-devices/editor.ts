import {
  nodeLabel,
  nodeLabelStyle,
  preparePathList,
  prepareTarget,
  readPathList,
  validPaths,
  validTarget,
} from '../shared/editor';

RED.nodes.registerType('lwm2m-devices', {
  category: 'LwM2M',
  color: '#9DC1E4',
  icon: 'lwm2m-devices.svg',
  paletteLabel() {
    return this._('lwm2m-devices.palette');
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
    paths: {
      value: [],
      validate(value, _options) {
        return validPaths(value);
      },
    },
    readable: { value: false },
  },
  inputs: 1,
  outputs: 1,
  label() {
    return nodeLabel(this, this._('lwm2m-devices.label'));
  },
  labelStyle() {
    return nodeLabelStyle(this);
  },
  inputLabels() {
    return this._('lwm2m-devices.port.input');
  },
  outputLabels() {
    return this._('lwm2m-devices.port.output');
  },
  oneditprepare() {
    prepareTarget(true);
    preparePathList('pathList', this['paths'], this._('lwm2m-devices.allPaths'));
  },
  oneditsave() {
    Object.assign(this, { paths: readPathList('pathList') });
  },
});
