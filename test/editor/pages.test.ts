import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { PACKAGE_ROOT } from '../support/node-red-process';

const NODES: Record<string, string> = (
  JSON.parse(readFileSync(path.join(PACKAGE_ROOT, 'package.json'), 'utf8')) as {
    'node-red': { nodes: Record<string, string> };
  }
)['node-red'].nodes;

function read(file: string): string {
  return readFileSync(path.join(PACKAGE_ROOT, file), 'utf8');
}

function page(type: string): string {
  return read((NODES[type] ?? '').replace(/\.js$/, '.html'));
}

/** The scripts that the browser runs, as the Flow Library's scorecard finds them. */
function scripts(html: string): string[] {
  return [...html.matchAll(/<script type="text\/javascript">([\s\S]*?)<\/script>/g)].map((match) => match[1] ?? '');
}

/** The definition of each `RED.nodes.registerType('type', {...})` that is written out as a literal. */
function definitions(script: string): Map<string, ts.ObjectLiteralExpression> {
  const found = new Map<string, ts.ObjectLiteralExpression>();
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && node.expression.getText() === 'RED.nodes.registerType') {
      const [type, definition] = node.arguments;
      assert.ok(type && ts.isStringLiteral(type), 'the type is a literal');
      assert.ok(definition && ts.isObjectLiteralExpression(definition), 'the definition is a literal');
      found.set(type.text, definition);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('page.js', script, ts.ScriptTarget.ES2020, true));
  return found;
}

function property(definition: ts.ObjectLiteralExpression, name: string): ts.Expression | undefined {
  for (const member of definition.properties) {
    if (ts.isPropertyAssignment(member) && member.name.getText() === name) return member.initializer;
  }
  return undefined;
}

function defaultsOf(definition: ts.ObjectLiteralExpression): Record<string, string> {
  const defaults = property(definition, 'defaults');
  assert.ok(defaults && ts.isObjectLiteralExpression(defaults));
  const values: Record<string, string> = {};
  for (const member of defaults.properties) {
    assert.ok(ts.isPropertyAssignment(member) && ts.isObjectLiteralExpression(member.initializer));
    values[member.name.getText()] = property(member.initializer, 'value')?.getText() ?? '';
  }
  return values;
}

const TARGET = ['target', 'targetType'];
const PATH = ['path', 'pathType'];
const CONTENT = ['contentFormat', 'keys'];
const ATTRIBUTES = ['pmin', 'pmax', 'gt', 'lt', 'st', 'epmin', 'epmax'];

/** What an exported flow holds, besides name and server: the public contract (DESIGN section 4). */
const CONTRACT: Record<string, readonly string[]> = {
  'lwm2m-server': [
    ...['host', 'coapPort', 'coapsPort', 'noSec', 'lifetimeMin', 'lifetimeMax', 'awakeTime', 'objectsDir'],
    ...['store', 'storePath', 'redisUrl', 'access', 'awakeOnNotify', 'mismatchGrace', 'profiles'],
  ],
  'lwm2m-events': [...TARGET, 'topics'],
  'lwm2m-devices': [...TARGET, 'paths', 'readable'],
  'lwm2m-read': [...TARGET, ...PATH, ...CONTENT],
  'lwm2m-write': [...TARGET, ...PATH, 'value', 'valueType', 'mode', ...CONTENT],
  'lwm2m-execute': [
    ...[...TARGET, ...PATH, 'args', 'argsType'],
    ...['conditions', 'secondPerson', 'confirmBy', 'confirmTime'],
  ],
  'lwm2m-observe': [...TARGET, ...PATH, ...ATTRIBUTES, ...CONTENT],
  'lwm2m-discover': [...TARGET, ...PATH, 'depth'],
  'lwm2m-attributes': [...TARGET, ...PATH, ...ATTRIBUTES, 'edge', 'con', 'hqmax'],
  'lwm2m-create': [...TARGET, ...PATH, 'value', 'valueType', ...CONTENT],
  'lwm2m-delete': [...TARGET, ...PATH],
  'lwm2m-simulator': [
    ...['kind', 'count', 'endpointPrefix', 'serverUri', 'lifetime', 'security'],
    ...['queueMode', 'awakeTime', 'updateInterval', 'vanishEvery', 'vanishFor'],
  ],
  // `users` of a flow that was made elsewhere; the editor has that word for something else.
  'lwm2m-access': ['roles', 'members', 'default'],
  'lwm2m-grant': ['action'],
  'lwm2m-audit': ['user', 'endpoint', 'operation', 'outcome', 'limit', 'format'],
  'lwm2m-provision': ['action', 'format'],
  'lwm2m-suspend': [...TARGET, 'action', 'duration', 'durationType', 'stagger'],
};

describe("the editor's pages, as they were built", () => {
  it('are there for every node of package.json', () => {
    assert.deepEqual(Object.keys(NODES).sort(), Object.keys(CONTRACT).sort());
  });

  for (const [type, properties] of Object.entries(CONTRACT)) {
    describe(type, () => {
      it('registers itself by a literal in an inline script, as the Flow Library reads it', () => {
        const all = scripts(page(type)).flatMap((script) => [...definitions(script).keys()]);
        assert.deepEqual(all, [type]);
      });

      it('holds the properties of the contract', () => {
        const definition = scripts(page(type)).flatMap((script) => [...definitions(script).values()])[0];
        assert.ok(definition);
        const expected = ['lwm2m-server', 'lwm2m-simulator', 'lwm2m-access'].includes(type)
          ? ['name']
          : ['name', 'server'];
        assert.deepEqual(Object.keys(defaultsOf(definition)).sort(), [...expected, ...properties].sort());
      });

      it('has a template with a field for every text it shows, in every language', () => {
        const html = page(type);
        assert.ok(html.includes(`data-template-name="${type}"`));
        assert.ok(!html.includes('<!-- include'), 'every include was found');
        const keys = [...html.matchAll(/data-i18n="(?:\[[\w-]+\])?([^"]+)"/g)].map((match) => match[1] ?? '');
        for (const language of ['en-US', 'de', 'ja']) {
          const catalog = JSON.parse(read(`dist/nodes/${type}/locales/${language}/${type}.json`)) as unknown;
          for (const key of keys.filter((name) => !name.startsWith('node-red:'))) {
            assert.equal(typeof textAt(catalog, key), 'string', `${language}: ${key}`);
          }
        }
      });

      it('has a label for every field, which a screen reader reads', () => {
        const html = page(type);
        const prefix = ['lwm2m-server', 'lwm2m-access'].includes(type) ? 'node-config-input-' : 'node-input-';
        const fields = [
          ...html.matchAll(
            /<(?:input\s+type="(?:text|password)"|select|textarea(?![^>]*\bhidden))[^>]*? id="([^"]+)"/g,
          ),
        ].map((match) => match[1] ?? '');
        assert.ok(fields.length > 0);
        for (const id of fields) {
          assert.ok(id.startsWith(prefix) || id.startsWith('lwm2m-'), id);
          assert.ok(html.includes(`<label for="${id}"`), `no label for ${id}`);
        }
      });

      it('has an icon: white, two by three, at least 40 x 60', () => {
        const svg = read(`dist/nodes/lwm2m-server/icons/${type}.svg`);
        const [, width = 0, height = 0] = /width="(\d+)" height="(\d+)"/.exec(svg)?.map(Number) ?? [];
        assert.ok(width >= 40 && width * 3 === height * 2, `${width} x ${height}`);
        const colours = [...svg.matchAll(/(?:fill|stroke)="([^"]+)"/g)].map((match) => match[1]);
        assert.deepEqual([...new Set(colours)].sort(), ['#fff', 'none']);
      });
    });
  }

  it('carry what the dialogs share once only', () => {
    const sizes = Object.keys(NODES).map((type) => page(type).length);
    assert.ok(Math.max(...sizes) < 40_000, `the largest page has ${Math.max(...sizes)} characters`);
    const carriers = Object.keys(NODES).filter((type) => page(type).includes('lwm2m-suggestions'));
    assert.deepEqual(carriers, ['lwm2m-server']);
  });

  it('take contract defaults where the contract gives them', () => {
    const defaults = (type: string): Record<string, string> => {
      const definition = scripts(page(type)).flatMap((script) => [...definitions(script).values()])[0];
      assert.ok(definition);
      return defaultsOf(definition);
    };
    const server = defaults('lwm2m-server');
    assert.deepEqual(
      [server['host'], server['coapPort'], server['coapsPort'], server['noSec'], server['awakeTime']],
      ['"::"', '5683', '5684', '"loopback"', '93'],
    );
    const write = defaults('lwm2m-write');
    assert.deepEqual(
      [write['value'], write['valueType'], write['targetType'], write['pathType']],
      ['"payload"', '"msg"', '"endpoint"', '"str"'],
    );
  });
});

describe('the catalogs', () => {
  const home = path.join(PACKAGE_ROOT, 'nodes', 'locales');
  const files = readdirSync(path.join(home, 'en-US')).filter((file) => file.endsWith('.json'));

  for (const language of ['de', 'ja']) {
    it(`have the same keys and parameters in ${language} as in English`, () => {
      for (const file of files) {
        const english = flatten(JSON.parse(readFileSync(path.join(home, 'en-US', file), 'utf8')));
        const translated = flatten(JSON.parse(readFileSync(path.join(home, language, file), 'utf8')));
        assert.deepEqual([...translated.keys()].sort(), [...english.keys()].sort(), file);
        for (const [key, text] of english) {
          const parameters = (of: string): string[] => (of.match(/__\w+__/g) ?? []).sort();
          assert.deepEqual(parameters(translated.get(key) ?? ''), parameters(text), `${file}: ${key}`);
          assert.notEqual(translated.get(key), '', `${file}: ${key}`);
        }
      }
    });

    it(`have a help of the same shape in ${language} as in English`, () => {
      for (const type of Object.keys(NODES)) {
        const help = (of: string): string => read(`dist/nodes/${type}/locales/${of}/${type}.html`);
        const shape = (html: string): string[] => html.match(/<\/?\w+/g) ?? [];
        const messages = (html: string): string[] => html.match(/^\s*(?:<pre[^>]*>)?\{ "(?:target|action)".*$/gm) ?? [];
        assert.deepEqual(shape(help(language)).filter(structural), shape(help('en-US')).filter(structural), type);
        assert.deepEqual(messages(help(language)), messages(help('en-US')), type);
        assert.notEqual(help(language), help('en-US'), `${type} is not translated`);
      }
    });
  }

  it('have a help for every node in the form of the style guide, with messages to copy that are JSON', () => {
    for (const type of Object.keys(NODES)) {
      const html = read(`dist/nodes/${type}/locales/en-US/${type}.html`);
      assert.ok(html.startsWith(`<script type="text/html" data-help-name="${type}">`), type);
      assert.ok(html.includes('<h3>Details</h3>') && html.includes('<h3>References</h3>'), type);
      const copied = [...html.matchAll(/<pre[^>]*>([\s\S]*?)<\/pre>/g)].flatMap((match) =>
        (match[1] ?? '').split('\n'),
      );
      const messages = copied.filter((line) => line.startsWith('{ "target"') || line.startsWith('{ "action"'));
      for (const message of messages) assert.doesNotThrow(() => JSON.parse(message), message);
      const ordered = !['lwm2m-server', 'lwm2m-events', 'lwm2m-simulator', 'lwm2m-access', 'lwm2m-audit'].includes(
        type,
      );
      if (ordered) assert.ok(messages.length > 0, `${type} shows no message`);
    }
  });
});

/** Words may need other emphasis in another language; headings, lists and definitions are the same in all. */
function structural(tag: string): boolean {
  return !/code|br|<\/?em/.test(tag);
}

function textAt(catalog: unknown, key: string): unknown {
  return key.split('.').reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], catalog);
}

function flatten(catalog: unknown, prefix = ''): Map<string, string> {
  if (typeof catalog === 'string') return new Map([[prefix, catalog]]);
  const entries = Object.entries(catalog as Record<string, unknown>);
  return new Map(entries.flatMap(([key, value]) => [...flatten(value, prefix === '' ? key : `${prefix}.${key}`)]));
}
