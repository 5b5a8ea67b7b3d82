import { explainChoice, nodeLabelStyle, validInteger, validSecurity, validServerUri } from '../shared/editor';

/** More devices than one process should simulate beside its server. */
const MAX_COUNT = 10_000;

/** What a timer can wait for. */
const MAX_SECONDS = Math.floor((2 ** 31 - 1) / 1000);

/** The usual addresses, one for each choice of security: a usual address follows the choice. */
const USUAL: Record<string, string> = { nosec: 'coap://127.0.0.1:5683', psk: 'coaps://127.0.0.1:5684' };

/** Keys need an address that begins with coaps, and only with keys is there one to be typed. */
function prepareSecurity(): void {
  const security = $('#node-input-security');
  const serverUri = $('#node-input-serverUri');
  const key = document.getElementById('lwm2m-key-row');
  const follow = (): void => {
    const chosen = String(security.val());
    if (key) key.hidden = chosen !== 'psk';
    const usual = USUAL[chosen];
    if (usual !== undefined && Object.values(USUAL).includes(String(serverUri.val()))) serverUri.val(usual);
    // Both are looked at again, now that they may fit each other.
    serverUri.trigger('change');
  };
  // Flows of before there was a choice.
  if (security.val() === null || security.val() === '') {
    security.val(String(serverUri.val()).startsWith('coaps:') ? 'psk' : 'nosec');
  }
  security.on('change', follow);
  follow();
}

/** What is usual for each kind: the beginning of the names, the lifetime, and whether its devices sleep. */
const KINDS: Record<string, { prefix: string; lifetime: string; sleeps: boolean }> = {
  'street-light': { prefix: 'lamp-', lifetime: '60', sleeps: false },
  'air-conditioner': { prefix: 'ac-', lifetime: '60', sleeps: false },
  car: { prefix: 'car-', lifetime: '60', sleeps: false },
  meter: { prefix: 'meter-', lifetime: '3600', sleeps: true },
};

/** What is usual for the kind follows it when another is chosen; the awake time is of devices that sleep. */
function prepareKind(): void {
  const kind = $('#node-input-kind');
  const prefix = $('#node-input-endpointPrefix');
  const lifetime = $('#node-input-lifetime');
  const queueMode = document.getElementById('node-input-queueMode') as HTMLInputElement;
  const awake = document.getElementById('lwm2m-awake-row');
  const showAwake = (): void => {
    if (awake) awake.hidden = !queueMode.checked;
  };
  let chosen = String(kind.val());
  kind.on('change', () => {
    const before = KINDS[chosen];
    chosen = String(kind.val());
    const usual = KINDS[chosen];
    if (usual === undefined || usual === before) return;
    if (String(lifetime.val()) === before?.lifetime) lifetime.val(usual.lifetime).trigger('change');
    if (String(prefix.val()) === before?.prefix) prefix.val(usual.prefix).trigger('change');
    queueMode.checked = usual.sleeps;
    showAwake();
  });
  queueMode.addEventListener('change', showAwake);
  showAwake();
}

RED.nodes.registerType('lwm2m-simulator', {
  category: 'LwM2M',
  color: '#E4C78E',
  icon: 'lwm2m-simulator.svg',
  paletteLabel() {
    return this._('lwm2m-simulator.palette');
  },
  defaults: {
    name: { value: '' },
    kind: { value: 'street-light' },
    count: {
      value: 1,
      validate(value, _options) {
        return validInteger(value, 1, MAX_COUNT, false);
      },
    },
    endpointPrefix: { value: 'lamp-', required: true },
    serverUri: {
      value: 'coap://127.0.0.1:5683',
      validate(value, _options) {
        return validServerUri(value);
      },
    },
    lifetime: {
      value: 60,
      validate(value, _options) {
        return validInteger(value, 1, 2 ** 32 - 1, false);
      },
    },
    security: {
      value: 'nosec',
      validate(value, _options) {
        return validSecurity(this, value);
      },
    },
    queueMode: { value: false },
    awakeTime: {
      value: '',
      validate(value, _options) {
        return validInteger(value, 1, MAX_SECONDS);
      },
    },
    updateInterval: {
      value: '',
      validate(value, _options) {
        return validInteger(value, 1, MAX_SECONDS);
      },
    },
    vanishEvery: {
      value: '',
      validate(value, _options) {
        return validInteger(value, 1, MAX_SECONDS);
      },
    },
    vanishFor: {
      value: '',
      validate(value, _options) {
        return validInteger(value, 1, MAX_SECONDS);
      },
    },
  },
  credentials: {
    key: { type: 'password' },
  },
  inputs: 1,
  outputs: 1,
  label() {
    return this.name || `${String(this['count'])} × ${String(this['endpointPrefix'])}…`;
  },
  labelStyle() {
    return nodeLabelStyle(this);
  },
  inputLabels() {
    return this._('lwm2m-simulator.port.input');
  },
  outputLabels() {
    return this._('lwm2m-simulator.port.output');
  },
  oneditprepare() {
    prepareKind();
    prepareSecurity();
    explainChoice('security', 'nosec', (security) => this._(`lwm2m-simulator.security.hint.${security}`));
  },
});
