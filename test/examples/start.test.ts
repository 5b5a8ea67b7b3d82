import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import dgram from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freeUdpPort } from '../support/free-udp-port';
import { PACKAGE_ROOT } from '../support/node-red-process';

interface Ended {
  code: number | null;
  output: string;
}

describe('npm start', function () {
  this.timeout(60_000);
  let directory: string;
  let city: string;
  let children: ChildProcess[];

  before(async () => {
    const { cityOf } = await import('../../scripts/city.mjs');
    city = `${JSON.stringify(cityOf(), null, 2)}\n`;
  });

  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'demo-'));
    children = [];
  });

  afterEach(async () => {
    for (const child of children.filter(({ exitCode }) => exitCode === null)) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    await rm(directory, { recursive: true, force: true });
  });

  function start(
    port: number,
    ...options: string[]
  ): { child: ChildProcess; said: (text: string) => Promise<string>; ended: Promise<Ended> } {
    const script = path.join(PACKAGE_ROOT, 'scripts', 'start.mjs');
    const child = spawn(process.execPath, [script, '--directory', directory, ...options], {
      env: { ...process.env, PORT: String(port) },
    });
    children.push(child);
    let output = '';
    let heard = (): void => undefined;
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (text: Buffer) => {
        output += text.toString();
        heard();
      });
    }
    const ended = once(child, 'exit').then(([code]) => ({ code: code as number | null, output }));
    const said = (text: string): Promise<string> =>
      new Promise((resolve, reject) => {
        heard = () => output.includes(text) && resolve(output);
        heard();
        void ended.then(() => reject(new Error(`it ended before it said '${text}': ${output}`)));
      });
    return { child, said, ended };
  }

  async function takeTcp(): Promise<net.Server> {
    const server = net.createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  async function freeTcpPort(): Promise<number> {
    const server = await takeTcp();
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }

  async function takeUdp(): Promise<dgram.Socket> {
    const socket = dgram.createSocket('udp6');
    await new Promise<void>((resolve) => socket.bind(0, '::', resolve));
    return socket;
  }

  /** The city on other ports than 5683 and 5684, as if the user had changed them. */
  async function keepCityOn(coapPort: number, coapsPort: number): Promise<void> {
    const moved = city.replaceAll(/568[34]/g, (port) => String(port === '5683' ? coapPort : coapsPort));
    await writeFile(path.join(directory, 'flows.json'), moved);
  }

  it('runs the flows that were kept, says where, and stops cleanly', async () => {
    await keepCityOn(await freeUdpPort(), await freeUdpPort());
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      const port = await freeTcpPort();
      const { child, said, ended } = start(port);
      const output = await said('Ctrl-C stops it');
      assert.ok(output.includes(`http://127.0.0.1:${port}/ `), output);
      for (const [place, content] of [
        ['', 'href="dashboard/street-lights"'],
        ['editor/', 'Node-RED'],
        ['dashboard/street-lights', 'Dashboard'],
      ] as const) {
        const response = await fetch(`http://127.0.0.1:${port}/${place}`);
        assert.equal(response.status, 200);
        assert.ok((await response.text()).includes(content), place);
      }
      assert.ok(output.includes('coaps'), output);
      child.kill(signal);
      const { code, output: all } = await ended;
      assert.equal(code, 0, all);
      assert.ok(!/error/i.test(all), all);
    }
  });

  it('begins with the city, and with it again when asked to', async () => {
    const blocker = await takeTcp();
    const { port } = blocker.address() as AddressInfo;
    const flows = path.join(directory, 'flows.json');
    await start(port).ended;
    assert.equal(await readFile(flows, 'utf8'), city);
    await writeFile(flows, '[]');
    await start(port).ended;
    assert.equal(await readFile(flows, 'utf8'), '[]');
    await start(port, '--fresh').ended;
    assert.equal(await readFile(flows, 'utf8'), city);
    blocker.close();
  });

  it('says in one sentence that the TCP port is taken', async () => {
    const blocker = await takeTcp();
    const { port } = blocker.address() as AddressInfo;
    const { code, output } = await start(port).ended;
    blocker.close();
    assert.equal(code, 1);
    assert.match(output, new RegExp(`^TCP port ${port} is taken[^\n]*\n$`));
  });

  for (const scheme of ['coap', 'coaps']) {
    it(`says in one sentence that the UDP port of ${scheme} is taken`, async () => {
      const blocker = await takeUdp();
      const { port } = blocker.address();
      const other = await freeUdpPort();
      await keepCityOn(scheme === 'coap' ? port : other, scheme === 'coap' ? other : port);
      const { code, output } = await start(await freeTcpPort()).ended;
      blocker.close();
      assert.equal(code, 1);
      assert.match(output, new RegExp(`^UDP port ${port}, which the devices use, is taken[^\n]*\n$`));
    });
  }
});
