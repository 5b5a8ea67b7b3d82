import assert from 'node:assert/strict';
import type { Browser } from 'playwright-core';
import { browserIsMissing, Editor, startBrowser } from '../support/editor';
import { NodeRedProcess, type Flow } from '../support/node-red-process';

const ROLE = { name: 'lights', operations: ['read', 'write'], target: 'label:site=north', paths: ['/3311/*/5850'] };

const ACCESS: Flow = {
  id: 'access-1',
  type: 'lwm2m-access',
  name: 'Rights',
  roles: [ROLE],
  users: [{ name: 'john', roles: ['lights'] }],
  default: 'deny',
};

const SERVER: Flow = {
  id: 'server-1',
  type: 'lwm2m-server',
  name: 'City',
  host: '127.0.0.1',
  coapPort: '',
  coapsPort: '',
  store: 'memory',
  access: 'access-1',
};

const EXECUTE: Flow = {
  id: 'execute-1',
  type: 'lwm2m-execute',
  z: 'tab',
  server: 'server-1',
  target: 'car-1',
  targetType: 'endpoint',
  path: '/3/0/4',
  pathType: 'str',
  args: '',
  argsType: 'str',
  x: 200,
  y: 100,
  wires: [[], []],
};

describe("the editor's dialogs of rights", function () {
  this.timeout(60_000);
  let nodeRed: NodeRedProcess;
  let browser: Browser;
  let editor: Editor;

  before(async function () {
    if (browserIsMissing()) this.skip();
    nodeRed = await NodeRedProcess.start({
      flows: [{ id: 'tab', type: 'tab', label: 'Flow' }, ACCESS, SERVER, EXECUTE],
    });
    browser = await startBrowser();
    editor = await Editor.open(browser, nodeRed);
  });

  after(async () => {
    await browser?.close();
    await nodeRed?.stop();
  });

  afterEach(() => assert.deepEqual(editor.complaints.splice(0), [], 'the page did not complain'));

  const deployed = async (id: string): Promise<Flow | undefined> =>
    (await nodeRed.flows()).find((node) => node.id === id);

  it('lists roles and users, keeps them, and takes new ones', async () => {
    await editor.openConfig('access-1');
    const fields = (list: string, name: string) => editor.page.locator(`#${list} input[data-field=${name}]`);
    assert.deepEqual(
      await Promise.all(
        ['name', 'operations', 'target', 'paths'].map((name) => fields('lwm2m-access-roles', name).inputValue()),
      ),
      ['lights', 'read write', 'label:site=north', '/3311/*/5850'],
    );
    await editor.screenshot('dialog-lwm2m-access');
    const add = (list: string) =>
      editor.page.locator(`.red-ui-editableList:has(#${list}) .red-ui-editableList-addButton`).click();
    await add('lwm2m-access-roles');
    await fields('lwm2m-access-roles', 'name').last().fill('admin');
    await fields('lwm2m-access-roles', 'operations').last().fill('*');
    await add('lwm2m-access-users');
    await fields('lwm2m-access-users', 'name').last().fill('ada');
    await fields('lwm2m-access-users', 'roles').last().fill('admin, lights');
    // A row that is left empty is none.
    await add('lwm2m-access-users');
    await editor.done();
    await editor.deploy();
    const node = await deployed('access-1');
    assert.deepEqual(node?.['roles'], [ROLE, { name: 'admin', operations: ['*'] }]);
    assert.deepEqual(node?.['members'], [
      { name: 'john', roles: ['lights'] },
      { name: 'ada', roles: ['admin', 'lights'] },
    ]);
    assert.equal((await deployed('server-1'))?.['access'], 'access-1');
  });

  it('keeps the guard of an execute node', async () => {
    await editor.openDialog('execute-1');
    await editor.unfold();
    await editor.page
      .locator('.red-ui-editableList:has(#lwm2m-execute-conditions) .red-ui-editableList-addButton')
      .click();
    for (const [name, value] of [
      ['path', '/6/0/6'],
      ['test', '='],
      ['value', '0'],
    ] as const) {
      await editor.page.locator(`#lwm2m-execute-conditions input[data-field=${name}]`).fill(value);
    }
    await editor.page.locator('#node-input-secondPerson').check();
    await editor.screenshot('dialog-lwm2m-execute-guard');
    await editor.done();
    assert.deepEqual(await editor.problems('execute-1'), []);
    await editor.deploy();
    const node = await deployed('execute-1');
    assert.deepEqual(
      [node?.['conditions'], node?.['secondPerson']],
      [[{ path: '/6/0/6', test: '=', value: '0' }], true],
    );
  });
});
