import {
  nodeLabel,
  nodeLabelStyle,
  prepareAttributes,
  preparePath,
  prepareTarget,
  validAttribute,
  validPath,
  validTarget,
} from '../shared/editor';

RED.nodes.registerType('lwm2m-observe', {
  category: 'LwM2M',
  color: '#8CC5B6',
  icon: 'lwm2m-observe.svg',
  paletteLabel() {
    return this._('lwm2m-observe.palette');
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
    pmin: {
      value: '',
      validate(value, _options) {
        return validAttribute(this, 'pmin', value);
      },
    },
    pmax: {
      value: '',
      validate(value, _options) {
        return validAttribute(this, 'pmax', value);
      },
    },
    gt: {
      value: '',
      validate(value, _options) {
        return validAttribute(this, 'gt', value);
      },
    },
    lt: {
      value: '',
      validate(value, _options) {
        return validAttribute(this, 'lt', value);
      },
    },
    st: {
      value: '',
      validate(value, _options) {
        return validAttribute(this, 'st', value);
      },
    },
    epmin: {
      value: '',
      validate(value, _options) {
        return validAttribute(this, 'epmin', value);
      },
    },
    epmax: {
      value: '',
      validate(value, _options) {
        return validAttribute(this, 'epmax', value);
      },
    },
    contentFormat: { value: '' },
    keys: { value: '' },
  },
  inputs: 1,
  outputs: 1,
  label() {
    return nodeLabel(this, this._('lwm2m-observe.label'));
  },
  labelStyle() {
    return nodeLabelStyle(this);
  },
  inputLabels() {
    return this._('lwm2m-observe.port.input');
  },
  outputLabels() {
    return this._('lwm2m-observe.port.output');
  },
  oneditprepare() {
    prepareTarget(false);
    preparePath(true);
    prepareAttributes(['pmin', 'pmax', 'gt', 'lt', 'st', 'epmin', 'epmax']);
  },
});
