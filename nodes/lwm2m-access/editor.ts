import { explainChoice, nodeLabelStyle, prepareRecordList, readRecordList, validAccess } from '../shared/editor';

RED.nodes.registerType('lwm2m-access', {
  category: 'config',
  icon: 'lwm2m-access.svg',
  defaults: {
    name: { value: '' },
    roles: {
      value: [],
      validate(value, _options) {
        return validAccess(value, []);
      },
    },
    // The editor itself keeps in `users` of a config node which nodes use it.
    members: {
      value: [],
      validate(value, _options) {
        return validAccess(this['roles'], value);
      },
    },
    default: { value: 'deny' },
  },
  label() {
    return this.name || this._('lwm2m-access.label');
  },
  labelStyle() {
    return nodeLabelStyle(this);
  },
  oneditprepare() {
    explainChoice('default', 'deny', (choice) => this._(`lwm2m-access.default.hint.${choice}`));
    const field = (name: string, list: boolean) => ({
      name,
      list,
      label: this._(`lwm2m-access.field.${name}`),
      placeholder: this._(`lwm2m-access.example.${name}`),
    });
    prepareRecordList(
      'lwm2m-access-roles',
      [field('name', false), field('operations', true), field('target', false), field('paths', true)],
      this['roles'],
      this._('lwm2m-access.roles.add'),
    );
    prepareRecordList(
      'lwm2m-access-users',
      [{ ...field('name', false), placeholder: this._('lwm2m-access.example.user') }, field('roles', true)],
      this['members'],
      this._('lwm2m-access.users.add'),
    );
  },
  oneditsave() {
    Object.assign(this, { roles: readRecordList('lwm2m-access-roles'), members: readRecordList('lwm2m-access-users') });
  },
});

/** A flow that was not made here has its users in `users`, which the editor does not read: the runtime knows them. */
RED.events.on('nodes:add', (node) => {
  if (node.type !== 'lwm2m-access' || node['members'] !== undefined) return;
  $.ajax({ url: `lwm2m/access/${encodeURIComponent(node.id)}`, dataType: 'json' }).done((data) => {
    const { users } = data as { users?: unknown };
    if (node['members'] === undefined && Array.isArray(users)) Object.assign(node, { members: users });
  });
});
