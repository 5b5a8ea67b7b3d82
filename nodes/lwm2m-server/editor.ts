import {
  explainChoice,
  nodeLabelStyle,
  preparePublicKey,
  prepareSecretText,
  validInteger,
  validPort,
} from '../shared/editor';

/** Only a store of files has a folder. */
function prepareStorePath(placeholder: string): void {
  const choice = document.getElementById('node-config-input-store');
  const row = document.getElementById('lwm2m-storePath-row');
  if (!(choice instanceof HTMLSelectElement) || row === null) return;
  row.querySelector('input')?.setAttribute('placeholder', placeholder);
  const show = (): void => {
    row.hidden = choice.value !== 'sqlite';
  };
  choice.addEventListener('change', show);
  show();
}

/** A server made before there was the choice has it on. */
function prepareAwakeOnNotify(chosen: unknown): void {
  const box = document.getElementById('node-config-input-awakeOnNotify');
  if (box instanceof HTMLInputElement && chosen === undefined) box.checked = true;
}

/** Lines of a Profile ID and an object list; what exactly a list may be, the server says. */
function areProfiles(value: unknown): boolean {
  const lines = typeof value === 'string' ? value.split('\n') : [];
  return lines.every((line) => line.trim() === '' || /^\S+\s+<\S*$/.test(line.trim()));
}

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
    awakeOnNotify: { value: true },
    mismatchGrace: {
      value: '',
      validate(value, _options) {
        return validInteger(value, 1, MAX_LIFETIME);
      },
    },
    objectsDir: { value: '' },
    profiles: {
      value: '',
      validate(value, _options) {
        return areProfiles(value) || this._('lwm2m-server.profiles.invalid');
      },
    },
    store: {
      value: 'sqlite',
      validate(value, _options) {
        return value === 'redis' ? this._('lwm2m-server.store.hint.redis') : true;
      },
    },
    storePath: { value: '' },
    access: { value: '', type: 'lwm2m-access', required: false },
    // Without a field as yet; named here so that the editor keeps it in flows that have it.
    redisUrl: { value: '' },
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
    explainChoice('store', 'sqlite', (store) => this._(`lwm2m-server.store.hint.${store}`));
    prepareAwakeOnNotify(this['awakeOnNotify']);
    prepareStorePath(this._('lwm2m-server.storePath.placeholder', { id: this.id }));
    preparePublicKey(this);
    prepareSecretText('privateKey', {
      empty: this._('lwm2m-server.privateKey.empty'),
      kept: this._('lwm2m-server.privateKey.kept'),
    });
  },
});
