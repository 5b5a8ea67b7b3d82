import {
  explainChoice,
  nodeLabelStyle,
  preparePublicKey,
  prepareSecretText,
  validInteger,
  validPort,
} from '../shared/editor';

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
        return validPort(this, 'coapPort', value);
      },
    },
    coapsPort: {
      value: 5684,
      validate(value, _options) {
        return validPort(this, 'coapsPort', value);
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
    // Without a field as yet; named here so that the editor keeps them in flows that have them.
    store: { value: 'sqlite' },
    storePath: { value: '' },
    redisUrl: { value: '' },
    access: { value: '' },
  },
  credentials: {
    privateKey: { type: 'password' },
    certificate: { type: 'text' },
    trustAnchors: { type: 'text' },
  },
  label() {
    const host = typeof this['host'] === 'string' && this['host'] !== '' ? this['host'] : '::';
    const shown = host.includes(':') ? `[${host}]` : host;
    if (this.name) return this.name;
    for (const scheme of ['coap', 'coaps']) {
      const port = this[`${scheme}Port`];
      if ((typeof port === 'number' || typeof port === 'string') && port !== '') return `${scheme}://${shown}:${port}`;
    }
    return this._('lwm2m-server.label');
  },
  labelStyle() {
    return nodeLabelStyle(this);
  },
  oneditprepare() {
    explainChoice('noSec', 'loopback', (policy) => this._(`lwm2m-server.noSec.hint.${policy}`));
    preparePublicKey(this);
    prepareSecretText('privateKey', {
      empty: this._('lwm2m-server.privateKey.empty'),
      kept: this._('lwm2m-server.privateKey.kept'),
    });
  },
});
