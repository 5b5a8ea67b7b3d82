import {
  nodeLabel,
  nodeLabelStyle,
  prepareAttributes,
  preparePath,
  prepareTarget,
  text,
  validAttribute,
  validInteger,
  validPath,
  validTarget,
} from '../shared/editor';

RED.nodes.registerType('lwm2m-attributes', {
  category: 'LwM2M',
  color: '#8CC5B6',
  icon: 'lwm2m-attributes.svg',
  paletteLabel() {
    return this._('lwm2m-attributes.palette');
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
    edge: { value: '' },
    con: { value: '' },
    hqmax: {
      value: '',
      validate(value, _options) {
        return validInteger(value, 0);
      },
    },
  },
  inputs: 1,
  outputs: 2,
  label() {
    return nodeLabel(this, this._('lwm2m-attributes.label'));
  },
  labelStyle() {
    return nodeLabelStyle(this);
  },
  inputLabels() {
    return this._('lwm2m-attributes.port.input');
  },
  outputLabels(index) {
    return text(index === 0 ? 'port.result' : 'port.summary');
  },
  oneditprepare() {
    prepareTarget(false);
    preparePath(false);
    prepareAttributes(['pmin', 'pmax', 'gt', 'lt', 'st', 'epmin', 'epmax', 'hqmax']);
  },
});
