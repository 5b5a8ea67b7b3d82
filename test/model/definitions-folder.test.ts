import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, mkdtemp, rename, rm, symlink, truncate, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MAX_DDF_LENGTH } from '../../src/model/ddf';
import { DefinitionsFolder, type DefinitionsFolderOptions, type Watch } from '../../src/model/definitions-folder';
import { ObjectDefinitions } from '../../src/model/object-definitions';
import { SimulatedClock } from '../support/simulated-clock';
import { ddfText } from './definitions';

const greenhouse = ddfText('64001.xml');
const renamed = (name: string): string => greenhouse.replace('>Greenhouse<', `>${name}<`);

/** A watch that tests trigger, and that tells how it is used. */
class HandWatch {
  open = 0;
  changed = (): void => assert.fail('not watched');
  failed = (): void => assert.fail('not watched');
  readonly watch: Watch = (_directory, changed, failed) => {
    this.open++;
    this.changed = changed;
    this.failed = failed;
    return { close: () => void this.open-- };
  };
}

describe('DefinitionsFolder', () => {
  let directory: string;
  let definitions: ObjectDefinitions;
  let folder: DefinitionsFolder;
  let events: string[];
  let hand: HandWatch;

  function open(options: DefinitionsFolderOptions = {}): DefinitionsFolder {
    folder = new DefinitionsFolder(directory, definitions, options);
    folder.on('loaded', ({ file, objects }) => events.push(`loaded ${file} ${objects.map(({ name }) => name).join()}`));
    folder.on('broken', ({ file, error }) => events.push(`broken ${file} ${error.message}`));
    folder.on('removed', ({ file }) => events.push(`removed ${file}`));
    return folder;
  }
  /** A folder that is looked through only when the test says so. */
  const openByHand = (): DefinitionsFolder => open({ clock: new SimulatedClock(), watch: hand.watch });
  const put = (file: string, text: string): Promise<void> => writeFile(join(directory, file), text);
  const name = (): string | undefined => definitions.get(64001)?.name;
  const news = (): string[] => events.splice(0);

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'lwm2m-ddf-'));
    definitions = ObjectDefinitions.builtIn();
    events = [];
    hand = new HandWatch();
  });
  afterEach(async () => {
    await folder.close();
    await rm(directory, { recursive: true, force: true });
  });

  describe('watching a real folder', () => {
    it('puts a new file, its change and its removal in force without being asked', async () => {
      await open({ rescanInterval: 1e6 }).start();
      let said = once(folder, 'loaded');
      await put('greenhouse.xml', greenhouse);
      await said;
      assert.equal(name(), 'Greenhouse');
      said = once(folder, 'loaded');
      await put('new', renamed('Orangery'));
      await rename(join(directory, 'new'), join(directory, 'greenhouse.xml'));
      await said;
      assert.equal(name(), 'Orangery');
      said = once(folder, 'removed');
      await unlink(join(directory, 'greenhouse.xml'));
      await said;
      assert.equal(name(), undefined);
    });

    it('sees changes without a watch, as on a network drive', async () => {
      await open({ watch: () => ({ close: () => undefined }), rescanInterval: 20 }).start();
      const said = once(folder, 'loaded');
      await put('greenhouse.xml', greenhouse);
      await said;
      assert.equal(name(), 'Greenhouse');
    });
  });

  it('reads what is there at the start, and only DDF files', async () => {
    await put('a.XML', greenhouse);
    await put('.hidden.xml', 'x');
    await put('LWM2M.xsd', 'x');
    await put('two.xml', ddfText('64002.xml'));
    await openByHand().start();
    assert.deepEqual(news(), ['loaded a.XML Greenhouse', 'loaded two.xml Pump,Pump']);
    assert.equal(definitions.get(64002, '1.0')?.version, '1.0');
    assert.equal(definitions.get(64002)?.version, '1.1');
    await folder.rescan();
    assert.deepEqual(news(), [], 'what did not change is not told again');
  });

  it('reports a broken file once with file, line and reason, and keeps the former definition', async () => {
    await put('g.xml', greenhouse);
    await openByHand().start();
    news();
    await put('g.xml', greenhouse.replace('>Boolean<', '>Bool<'));
    await folder.rescan();
    await folder.rescan();
    const [told = '', ...more] = news();
    assert.match(told, /^broken g\.xml g\.xml:14:\d+: unknown type 'Bool'$/);
    assert.deepEqual(more, []);
    assert.equal(name(), 'Greenhouse');
    await put('g.xml', renamed('Orangery'));
    await folder.rescan();
    assert.deepEqual(news(), ['loaded g.xml Orangery']);
    assert.equal(name(), 'Orangery');
  });

  it('lets the built-in definition show through when a file goes or no longer defines it', async () => {
    const device = definitions.get(3);
    assert.ok(device !== undefined);
    const asDevice = greenhouse
      .replace('>64001<', '>3<')
      .replace('ObjectVersion>1.0', `ObjectVersion>${device.version}`);
    await put('3.xml', asDevice);
    await openByHand().start();
    assert.equal(definitions.get(3)?.name, 'Greenhouse');
    await put('3.xml', greenhouse);
    await folder.rescan();
    assert.equal(definitions.get(3), device);
    await put('3.xml', asDevice);
    await folder.rescan();
    assert.equal(definitions.get(3)?.name, 'Greenhouse');
    await unlink(join(directory, '3.xml'));
    await folder.rescan();
    assert.equal(definitions.get(3), device);
    assert.equal(name(), undefined);
  });

  it('lets the last file by name hold when two define the same, in whatever order they come', async () => {
    await openByHand().start();
    await put('b.xml', renamed('B'));
    await folder.rescan();
    await put('a.xml', renamed('A'));
    await folder.rescan();
    assert.equal(name(), 'B');
    await unlink(join(directory, 'b.xml'));
    await folder.rescan();
    assert.equal(name(), 'A');
  });

  it('takes everything back when it is closed', async () => {
    await put('g.xml', greenhouse);
    await openByHand().start();
    await folder.close();
    assert.equal(name(), undefined);
    assert.equal(hand.open, 0);
    await folder.rescan();
    assert.equal(name(), undefined);
  });

  it('waits for a folder that does not exist, and outlives one that goes and comes', async () => {
    await rm(directory, { recursive: true });
    await openByHand().start();
    await folder.rescan();
    const [told = '', ...more] = news();
    assert.match(told, /^broken .* ENOENT/);
    assert.deepEqual(more, []);
    await mkdir(directory);
    await put('g.xml', greenhouse);
    await folder.rescan();
    assert.deepEqual([news(), name(), hand.open], [['loaded g.xml Greenhouse'], 'Greenhouse', 1]);
    await rm(directory, { recursive: true });
    await folder.rescan();
    assert.equal(name(), undefined);
    assert.equal(hand.open, 0);
    assert.ok(news().includes('removed g.xml'));
  });

  it('watches anew when the folder is replaced by another, or the watch fails', async () => {
    await openByHand().start();
    const { changed } = hand;
    await rename(directory, `${directory}-old`);
    await mkdir(directory);
    await folder.rescan();
    await rm(`${directory}-old`, { recursive: true });
    assert.notEqual(hand.changed, changed);
    assert.equal(hand.open, 1);
    hand.failed();
    assert.equal(hand.open, 0);
    await folder.rescan();
    assert.equal(hand.open, 1);
  });

  it('reads once for a burst of changes, and not before it is over', async () => {
    const clock = new SimulatedClock();
    await open({ clock, watch: hand.watch, debounce: 100, rescanInterval: 1e6 }).start();
    await put('g.xml', greenhouse);
    hand.changed();
    await clock.advance(60);
    hand.changed();
    await clock.advance(30);
    assert.deepEqual(news(), []);
    const said = once(folder, 'loaded');
    await clock.advance(20);
    await said;
    assert.deepEqual(news(), ['loaded g.xml Greenhouse']);
  });

  it('refuses huge files, folders, dangling links and hostile XML by name, and goes on', async () => {
    await put('bomb.xml', '<!DOCTYPE LWM2M [<!ENTITY a "b">]><LWM2M>&a;</LWM2M>');
    await put('huge.xml', '');
    await truncate(join(directory, 'huge.xml'), MAX_DDF_LENGTH + 1);
    await mkdir(join(directory, 'folder.xml'));
    await symlink('nowhere', join(directory, 'link.xml'));
    await put('z.xml', greenhouse);
    await openByHand().start();
    assert.deepEqual(news(), [
      'broken bomb.xml bomb.xml:1:34: a DOCTYPE is not allowed',
      'broken folder.xml folder.xml:1:1: not a regular file',
      `broken huge.xml huge.xml:1:1: the file is larger than ${MAX_DDF_LENGTH} bytes`,
      'loaded z.xml Greenhouse',
    ]);
  });
});
