import {
  nodeLabel,
  nodeLabelStyle,
  preparePath,
  prepareRecordList,
  prepareTarget,
  readRecordList,
  text,
  validConditions,
  validInteger,
  validPath,
  validTarget,
  validTypedInput,
} from '../shared/editor';

RED.nodes.registerType('lwm2m-execute', {
  category: 'LwM2M',
  color: '#8CC5B6',
  icon: 'lwm2m-execute.svg',
  paletteLabel() {
    return this._('lwm2m-execute.palette');
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
    args: {
      value: 'payload',
      validate(value, _options) {
        return validTypedInput(this, value, 'argsType', 'msg');
      },
    },
    argsType: { value: 'msg' },
    conditions: {
      value: [],
      validate(value, _options) {
        return validConditions(value);
      },
    },
    secondPerson: { value: false },
    confirmBy: { value: '' },
    confirmTime: {
      value: '',
      validate(value, _options) {
        return validInteger(value, 1, 86_400);
      },
    },
  },
  inputs: 1,
  outputs: 2,
  label() {
    return nodeLabel(this, this._('lwm2m-execute.label'));
  },
  labelStyle() {
    return nodeLabelStyle(this);
  },
  inputLabels() {
    return this._('lwm2m-execute.port.input');
  },
  outputLabels(index) {
    return text(index === 0 ? 'port.result' : 'port.summary');
  },
  oneditprepare() {
    prepareTarget(false);
    preparePath(false);
    $('#node-input-args').typedInput({
      types: ['msg', 'flow', 'global', 'str', 'json', 'jsonata', 'env'],
      default: 'msg',
      typeField: '#node-input-argsType',
    });
    prepareRecordList(
      'lwm2m-execute-conditions',
      ['path', 'test', 'value'].map((name) => ({
        name,
        label: this._(`lwm2m-execute.condition.${name}`),
        placeholder: this._(`lwm2m-execute.example.${name}`),
      })),
      this['conditions'],
      this._('lwm2m-execute.condition.add'),
    );
  },
  oneditsave() {
    Object.assign(this, { conditions: readRecordList('lwm2m-execute-conditions') });
  },
});
