import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { InvalidArgumentError } from '../../src/errors';
import { DEVICE_KINDS, parseCredentials, simulateFleet, type FleetEvent, type FleetOptions } from '../../src/simulator';
import { SimulatedClock } from '../support/simulated-clock';
import { ScriptedServer } from './scripted-server';

describe('A fleet of simulated devices', () => {
  let server: ScriptedServer;
  let clock: SimulatedClock;
  let events: FleetEvent[];

  beforeEach(async () => {
    server = await new ScriptedServer().start();
    clock = new SimulatedClock();
    events = [];
  });

  afterEach(async () => {
    await server.stop();
    assert.deepEqual(
      events.filter(({ topic }) => topic === 'fault'),
      [],
    );
  });

  const fleetOf = (options: Partial<FleetOptions> = {}) =>
    simulateFleet({
      kind: 'street-light',
      count: 50,
      endpointPrefix: 'lamp-',
      serverUri: server.uri,
      clock,
      onEvent: (event) => events.push(event),
      ...options,
    });

  it('registers all its devices, each from a port of its own, and de-registers them', async () => {
    const fleet = fleetOf();
    await fleet.start();
    assert.deepEqual(fleet.counts, { total: 50, registered: 50 });
    const registers = server.requests.filter(({ method }) => method === 'register');
    const names = Array.from({ length: 50 }, (_, index) => `lamp-${index + 1}`);
    assert.deepEqual(new Set(registers.map(({ query }) => query['ep'])), new Set(names));
    assert.equal(new Set(registers.map(({ channel }) => channel.address.port)).size, 50);
    await fleet.stop();
    assert.equal(server.requests.filter(({ method }) => method === 'deregister').length, 50);
    assert.deepEqual(fleet.counts, { total: 50, registered: 0 });
    assert.equal(clock.timers, 0, 'nothing of it is left');
  });

  for (const kind of DEVICE_KINDS) {
    it(`has two hundred of a kind: ${kind}`, async () => {
      const fleet = fleetOf({ kind, count: 200 });
      await fleet.start();
      assert.equal(fleet.counts.registered, 200);
      await clock.advance(60_000);
      await fleet.stop();
      assert.equal(clock.timers, 0);
      assert.deepEqual(
        events.filter(({ topic }) => topic === 'fault'),
        [],
      );
    });
  }

  it('starts a few at a time', async () => {
    let most = 0;
    const waiting: (() => void)[] = [];
    await server.stop();
    server = await new ScriptedServer({
      delay: () =>
        new Promise((resolve) => {
          waiting.push(resolve);
          most = Math.max(most, waiting.length);
          setImmediate(() => setImmediate(() => waiting.shift()?.()));
        }),
    }).start();
    const fleet = fleetOf({ inFlight: 4 });
    await fleet.start();
    assert.equal(fleet.counts.registered, 50);
    assert.ok(most <= 4 && most > 1, `${most} at the same time`);
    await fleet.stop();
  });

  it('updates spread over time', async () => {
    const fleet = fleetOf();
    await fleet.start();
    server.requests.length = 0;
    await clock.advance(44_900);
    assert.equal(server.requests.length, 0);
    const moments = new Set<number>();
    while (moments.size < 10) {
      await clock.advance(500);
      if (server.requests.splice(0).length > 0) moments.add(clock.monotonic());
      assert.ok(clock.monotonic() < 60_000, 'all updated together');
    }
    await fleet.stop();
  });

  it('registers again with a server that has lost everything', async () => {
    const fleet = fleetOf({ count: 20 });
    await fleet.start();
    const { port } = server;
    await server.stop();
    server = await new ScriptedServer().start(port);
    server.respond = ({ method }) => (method === 'update' ? { code: 0x84 } : undefined);
    server.requests.length = 0;
    await clock.advanceUntil(() => server.requests.filter(({ method }) => method === 'register').length === 20, 60_000);
    await fleet.stop();
  });

  it('lets a device vanish and come back', async () => {
    const fleet = fleetOf({ count: 2 });
    await fleet.start();
    fleet.vanish('lamp-2');
    server.requests.length = 0;
    await clock.advance(54_000);
    await server.next('update');
    assert.equal(server.requests.length, 0);
    fleet.comeBack('lamp-2');
    await server.next('update');
    assert.throws(() => fleet.vanish('lamp-3'), InvalidArgumentError);
    await fleet.stop();
  });

  it('tells what happens to its devices', async () => {
    const fleet = fleetOf({ count: 1 });
    await fleet.start();
    const { channel } = await server.next('register');
    await server.ask(channel, 'PUT', '/3311/0/5850', { format: 'text', payload: '1' });
    await server.ask(channel, 'POST', '/3301/0/5605');
    await fleet.stop();
    assert.deepEqual(events, [
      { endpoint: 'lamp-1', topic: 'registered', location: '/rd/1' },
      { endpoint: 'lamp-1', topic: 'written', path: '/3311/0/5850', value: true },
      { endpoint: 'lamp-1', topic: 'executed', path: '/3301/0/5605', args: '' },
      { endpoint: 'lamp-1', topic: 'deregistered' },
    ]);
  });

  it('lets time pass for all devices with one timer', async () => {
    const fleet = fleetOf({ count: 3, lifetime: 0, tick: 1_000 });
    await fleet.start();
    const [first] = fleet.devices;
    const onTime = first?.objects.find(3311, 0, 5852);
    const onOff = first?.objects.find(3311, 0, 5850);
    assert.ok(onTime && onOff);
    onOff.value = true;
    await clock.advance(11_000);
    assert.equal(onTime.value, 10);
    await fleet.stop();
  });

  it('ends although its server is gone', async () => {
    const fleet = fleetOf({ count: 40 });
    await fleet.start();
    await server.stop();
    const stopped = fleet.stop();
    await clock.advance(5_000);
    await stopped;
    assert.equal(clock.timers, 0);
  });

  it('says in one sentence what cannot be', () => {
    assert.throws(() => fleetOf({ kind: 'lamp' }), /there is no kind of device 'lamp' \(there is street-light/);
    assert.throws(() => fleetOf({ count: 0 }), /whole number from 1/);
    assert.throws(() => fleetOf({ serverUri: 'localhost' }), /not the URI of a server: 'localhost'/);
    assert.throws(() => fleetOf({ serverUri: 'http://localhost' }), /speak coap:\/\/ and coaps:\/\/, not http:\/\//);
    assert.throws(() => fleetOf({ version: '2.0' }), /LwM2M 2\.0 is not simulated/);
    assert.throws(() => fleetOf({ lifetime: -1 }), /lifetime/);
    assert.throws(() => fleetOf({ awakeTime: 0 }), /awake time/);
    assert.throws(() => fleetOf({ updateInterval: NaN }), /update interval/);
    assert.throws(() => fleetOf({ vanishing: { every: 5, duration: 5 } }), /for fewer seconds than that/);
  });
});

describe('The command lwm2m-simulate', () => {
  const run = (...args: string[]) => {
    const script = path.resolve(__dirname, '../../bin/lwm2m-simulate.ts');
    const child = spawn(process.execPath, ['--import', 'tsx', script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    const output = { stdout: '', stderr: '' };
    child.stdout.on('data', (text: Buffer) => (output.stdout += text.toString()));
    child.stderr.on('data', (text: Buffer) => (output.stderr += text.toString()));
    const ended = once(child, 'close').then(([code]) => ({ ...output, code: code as number }));
    const said = async (text: string) => {
      while (!output.stdout.includes(text)) await once(child.stdout, 'data');
    };
    return { child, ended, said };
  };

  it('explains itself', async () => {
    const { code, stdout } = await run('--help').ended;
    assert.equal(code, 0);
    assert.match(stdout, /lwm2m-simulate --kind street-light --count 200 --server coap:\/\/127\.0\.0\.1/);
  });

  it('says in one sentence what is wrong, and exits with 2', async () => {
    const cases = [
      [['--count', 'many'], "lwm2m-simulate: --count takes a whole number, not 'many'\n"],
      [['--colour', 'red'], "lwm2m-simulate: unknown option '--colour'\n"],
      [['--server', 'coaps://localhost'], 'lwm2m-simulate: coaps:// needs a key\n'],
      [['--psk-key', 'secret'], 'lwm2m-simulate: what is given with --psk-key is not written in pairs of hex digits\n'],
      [['--psk-key=', '5ec8e7'], 'lwm2m-simulate: every value follows an option\n'],
      [['--vanish-every', '5'], 'lwm2m-simulate: there is --vanish-every with --vanish-for, or none of them\n'],
      [['--psk-key', '5ec8e7', '--credentials', 'x'], 'lwm2m-simulate: there is either --psk-key or --credentials\n'],
    ] as const;
    const ends = await Promise.all(cases.map(([args]) => run(...args).ended));
    for (const [index, { code, stderr }] of ends.entries()) {
      assert.equal(stderr, cases[index]?.[1]);
      assert.equal(code, 2);
    }
  });

  it('registers its devices, tells how far it is, and de-registers them at Ctrl-C', async () => {
    const server = await new ScriptedServer().start();
    const { child, ended, said } = run('--count', '3', '--server', server.uri, '--prefix', 'x-', '--lifetime', '120');
    const { query } = await server.next('register', 'x-3');
    assert.equal(query['lt'], '120');
    await said('registered 3 of 3');
    child.kill('SIGINT');
    const { code, stdout } = await ended;
    assert.equal(code, 0);
    assert.match(stdout, /de-registering/);
    assert.equal(server.requests.filter(({ method }) => method === 'deregister').length, 3);
    await server.stop();
  });

  it('lets devices sleep that are told to, and meters that are not told otherwise', async () => {
    const server = await new ScriptedServer().start();
    for (const [args, name, lifetime, sleeps] of [
      [['--kind', 'car', '--queue-mode', '--awake-time', '20'], 'car-1', '60', true],
      [['--kind', 'meter'], 'meter-1', '3600', true],
      [['--kind', 'meter', '--no-queue-mode', '--update-interval', '30'], 'meter-1', '3600', false],
    ] as const) {
      const { child, ended } = run(...args, '--server', server.uri);
      const { query } = await server.next('register');
      assert.deepEqual([query['ep'], query['lt'], 'Q' in query], [name, lifetime, sleeps]);
      child.kill('SIGINT');
      await ended;
    }
    await server.stop();
  });

  describe('over coaps', () => {
    let folder: string;

    before(() => {
      folder = mkdtempSync(path.join(tmpdir(), 'lwm2m-simulate-'));
    });

    after(() => {
      rmSync(folder, { recursive: true });
    });

    const credentialsFile = (content: unknown) => {
      const file = path.join(folder, 'credentials.json');
      writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
      return file;
    };

    /** What it says when it registers lamp-1 and lamp-2 with a server that has these keys. */
    const register = async (keys: Record<string, string>, ...args: string[]) => {
      const buffers = new Map(Object.entries(keys).map(([identity, key]) => [identity, Buffer.from(key, 'hex')]));
      const server = await new ScriptedServer({ keys: buffers }).start();
      const { child, ended, said } = run('--count', '2', '--server', server.uri, ...args);
      await said('registered 2 of 2');
      child.kill('SIGTERM');
      const { code, stdout, stderr } = await ended;
      assert.equal(code, 0);
      await server.stop();
      for (const key of Object.values(keys)) assert.ok(!`${stdout}${stderr}`.includes(key), 'a key is shown');
    };

    it('takes one key for all', async () => {
      const key = '00112233445566778899aabbccddeeff';
      await register({ 'lamp-1': key, 'lamp-2': key }, '--psk-key', key);
    });

    it('takes a file with a key for each', async () => {
      const file = credentialsFile([
        { endpoint: 'lamp-1', identity: 'first', key: 'aabbcc01' },
        { endpoint: 'lamp-2', key: 'aabbcc02' },
      ]);
      await register({ first: 'aabbcc01', 'lamp-2': 'aabbcc02' }, '--credentials', file);
    });

    it('says what is wrong with the file, and no key of it', async () => {
      for (const [content, text] of [
        ['[{"endpoint": "lamp-1", "key": 5ec8e7}]', 'the credentials are no JSON'],
        [{ 'lamp-1': '5ec8e7' }, 'the credentials are no JSON array'],
        [[{ endpoint: 'lamp-1', key: 5 }], 'entry 1 of the credentials is no { endpoint, identity, key } of texts'],
        [[null], 'entry 1 of the credentials is no { endpoint, identity, key } of texts'],
        [[{ endpoint: 'lamp-1', key: '5ec8e7x' }], 'the key of lamp-1 is not written in pairs of hex digits'],
      ] as const) {
        assert.throws(() => parseCredentials(typeof content === 'string' ? content : JSON.stringify(content)), {
          name: 'InvalidArgumentError',
          message: text,
        });
      }
      const twice = [1, 2].map(() => ({ endpoint: 'lamp-1', key: '5ec8e7' }));
      assert.throws(() => parseCredentials(JSON.stringify(twice)), /name lamp-1 twice/);
      const file = credentialsFile([]);
      const { code, stderr } = await run('--server', 'coaps://localhost', '--credentials', file).ended;
      assert.equal(stderr, `lwm2m-simulate: ${file} has no credentials of lamp-1\n`);
      assert.equal(code, 2);
    });
  });
});
