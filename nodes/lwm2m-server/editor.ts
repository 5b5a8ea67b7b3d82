import { nodeLabelStyle, validInteger, validPort } from '../shared/editor';

/** The longest lifetime that a device can ask for, s. */
const MAX_LIFETIME = 2 ** 32 - 1;

RED.nodes.registerType('lwm2m-server', {
  category: 'config',
  icon: 'lwm2m-server.svg',
  defaults: {
    name: { value: '' },
    host: { value: '::' },
    coapPort: {
      value: 5683,
      validate(value, _options) {
        return validPort(this, value);
      },
    },
    noSec: { value: 'loopback' },
    lifetimeMin: {
      value: '',
      validate(value, _options) {
        return validInteger(value, 1, MAX_LIFETIME);
      },
    },
    lifetimeMax: {
      value: '',
      validate(value, _options) {
        return validInteger(value, 1, MAX_LIFETIME);
      },
    },
    awakeTime: {
      value: 93,
      validate(value, _options) {
        return validInteger(value, 1, MAX_LIFETIME);
      },
    },
    objectsDir: { value: '' },
  },
  label() {
    const host = typeof this['host'] === 'string' && this['host'] !== '' ? this['host'] : '::';
    const port = this['coapPort'];
    if (this.name) return this.name;
    if (typeof port !== 'number' && typeof port !== 'string') return this._('lwm2m-server.label');
    return port === '' ? this._('lwm2m-server.label') : `coap://${host.includes(':') ? `[${host}]` : host}:${port}`;
  },
  labelStyle() {
    return nodeLabelStyle(this);
  },
  oneditprepare() {
    const noSec = $('#node-config-input-noSec');
    const hint = document.getElementById('lwm2m-noSec-hint');
    const explain = (): void => hint?.replaceChildren(this._(`lwm2m-server.noSec.hint.${String(noSec.val())}`));
    noSec.on('change', explain);
    explain();
  },
});
