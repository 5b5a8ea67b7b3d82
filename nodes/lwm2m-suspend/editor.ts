import {
  explainChoice,
  nodeLabel,
  nodeLabelStyle,
  prepareTarget,
  text,
  validInteger,
  validTarget,
  validTypedInput,
} from '../shared/editor';

/** A year, s. */
const LONGEST = 366 * 86_400;

/** Rows that only a suspension needs. */
const OF_SUSPEND = ['lwm2m-duration-row', 'lwm2m-stagger-row'];

RED.nodes.registerType('lwm2m-suspend', {
  category: 'LwM2M',
  color: '#C9B6DE',
  icon: 'lwm2m-suspend.svg',
  paletteLabel() {
    return this._('lwm2m-suspend.palette');
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
    action: { value: 'suspend' },
    duration: {
      value: '300',
      validate(value, _options) {
        const type = this['durationType'];
        return type === undefined || type === 'num' || type === 'str'
          ? validInteger(value, 1, LONGEST)
          : validTypedInput(this, value, 'durationType', 'num');
      },
    },
    durationType: { value: 'num' },
    stagger: {
      value: '',
      validate(value, _options) {
        return validInteger(value, 0, LONGEST);
      },
    },
  },
  inputs: 1,
  outputs: 2,
  label() {
    return nodeLabel(this, this._('lwm2m-suspend.label'));
  },
  labelStyle() {
    return nodeLabelStyle(this);
  },
  inputLabels() {
    return this._('lwm2m-suspend.port.input');
  },
  outputLabels(index) {
    return index === 0 ? this._('lwm2m-suspend.port.output') : text('port.summary');
  },
  oneditprepare() {
    prepareTarget(false);
    explainChoice('action', 'suspend', (action) => {
      const shown = action === 'suspend' || action === 'msg';
      for (const id of OF_SUSPEND) document.getElementById(id)?.toggleAttribute('hidden', !shown);
      return this._(`lwm2m-suspend.action.hint.${action}`);
    });
    $('#node-input-duration').typedInput({
      types: ['num', 'msg', 'flow', 'global', 'env', 'jsonata'],
      default: 'num',
      typeField: '#node-input-durationType',
    });
    for (const seconds of [300, 7200]) {
      $(`#lwm2m-duration-${seconds}`).on('click', () => {
        $('#node-input-duration').typedInput('type', 'num');
        $('#node-input-duration').typedInput('value', String(seconds));
      });
    }
  },
});
