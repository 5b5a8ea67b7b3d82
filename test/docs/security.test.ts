import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DebugSidebar } from '../support/debug-sidebar';
import { NodeRedProcess, PACKAGE_ROOT, type Flow } from '../support/node-red-process';
import { freeUdpPort } from '../support/free-udp-port';

const TEXT = readFileSync(path.join(PACKAGE_ROOT, 'docs', 'security.md'), 'utf8');

function blocks(language: string): string[] {
  return [...TEXT.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)].flatMap(([, of, text = '']) =>
    of === language ? [text] : [],
  );
}

/** The first block of commands that begins so. */
function commands(beginning: string): string {
  const found = blocks('').find((text) => text.startsWith(beginning));
  assert.ok(found, `docs/security.md has no commands that begin with ${beginning}`);
  return found;
}

/** What docs/security.md says to type and to import is typed and imported here. */
describe('docs/security.md', function () {
  this.timeout(60_000);
  let directory: string;
  let port: number;
  let nodeRed: NodeRedProcess | undefined;
  let sidebar: DebugSidebar | undefined;

  /** Runs commands as they are written, with the server of the text here. Answers all they say. */
  function bash(script: string): Promise<string> {
    const here = script.replaceAll('lwm2m.example.com:5684', `127.0.0.1:${port}`);
    return new Promise((resolve) => {
      const child = execFile(
        'bash',
        ['-e', '-c', here],
        { cwd: directory, timeout: 15_000 },
        (_error, stdout, stderr) => resolve(`${stdout}\n${stderr}`),
      );
      child.stdin?.end();
    });
  }

  const read = (file: string): string => readFileSync(path.join(directory, file), 'utf8');

  before(async function () {
    directory = mkdtempSync(path.join(tmpdir(), 'security-'));
    port = await freeUdpPort();
    if (!(await bash('openssl version')).startsWith('OpenSSL 3') && process.env.CI === undefined) this.skip();
    await makeCredentials();
    nodeRed = await NodeRedProcess.start();
    sidebar = await DebugSidebar.open(nodeRed.url);
    await deployFlow(nodeRed);
  });

  after(async () => {
    sidebar?.close();
    await nodeRed?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  async function makeCredentials(): Promise<void> {
    await bash(commands('openssl rand'));
    const publicKey = (await bash(commands('openssl ecparam -name prime256v1 -genkey -noout -out lamp-2.key')))
      .split('\n')
      .find((line) => line.startsWith('MFkw'));
    const ofCertificates = commands('openssl ecparam -name prime256v1 -genkey -noout -out ca.key');
    await bash(ofCertificates);
    // As the text says, with the issuer that there is.
    const ofDevice = ofCertificates.slice(ofCertificates.indexOf('\n\n'));
    await bash(ofDevice.replaceAll('lamp-3', 'server').replace('clientAuth', 'serverAuth'));
    const [psk, rpk, x509] = blocks('json')
      .filter((text) => text.startsWith('{'))
      .map((text) => JSON.parse(text) as { endpoint: string; security: Record<string, string> });
    assert.ok(psk && rpk && x509 && publicKey !== undefined);
    psk.security['key'] = read('lamp-1.psk').trim();
    rpk.security['publicKey'] = publicKey;
    writeFileSync(path.join(directory, 'devices.json'), JSON.stringify([psk, rpk, x509]));
  }

  /** The flow to copy, with the credentials that the text says to paste. */
  async function deployFlow(into: NodeRedProcess): Promise<void> {
    const [json] = blocks('json');
    const flow = JSON.parse(json ?? '') as Flow[];
    for (const node of flow) {
      if (node.type === 'file in') node['filename'] = path.join(directory, 'devices.json');
      if (node.type !== 'lwm2m-server') continue;
      node['coapsPort'] = port;
      node['credentials'] = {
        privateKey: read('server.key'),
        certificate: read('server.pem'),
        trustAnchors: read('ca.pem'),
      };
    }
    await into.deploy(flow);
    for (;;) if ((await fetch(`${into.url}lwm2m/records-server/devices`)).ok) return;
  }

  it('has a flow that reads the records of a file', async () => {
    const answered = sidebar?.nextOf('records-shown');
    await nodeRed?.press('records-go');
    const records = (await answered) as { endpoint: string; security: { mode: string } }[];
    assert.deepEqual(
      records.map(({ endpoint, security }) => [endpoint, security.mode]),
      [
        ['lamp-1', 'psk'],
        ['lamp-2', 'rpk'],
        ['lamp-3', 'x509'],
      ],
    );
  });

  it('has a command that tries a pre-shared key', async () => {
    const command = commands('openssl s_client -dtls1_2 -connect lwm2m.example.com:5684 -cipher PSK');
    assert.match(await bash(command), /Cipher is PSK-AES128-CCM8/);
    assert.match(await bash(command.replace('$(cat lamp-1.psk)', '0011')), /alert decrypt error/);
  });

  it('has a command that tries a certificate', async () => {
    const command = commands('openssl s_client -dtls1_2 -connect lwm2m.example.com:5684 -cipher ECDHE');
    const said = await bash(command);
    assert.match(said, /Verification: OK/);
    assert.match(said, /Cipher is ECDHE-ECDSA-AES128-CCM8/);
  });

  it('has a command that registers with a raw public key', async function () {
    if ((await bash('command -v coap-client-gnutls')).trim() === '' && process.env.CI === undefined) this.skip();
    const registered = sidebar?.next(
      ({ id, value }) => id === 'records-shown' && (value as { endpoint?: string }).endpoint === 'lamp-2',
    );
    const command = commands('coap-client-gnutls').replace('lwm2m.example.com', `127.0.0.1:${port}`);
    await bash(command.replace('coap-client-gnutls', 'coap-client-gnutls -B 5'));
    const { identity } = (await registered)?.value as { identity: unknown };
    assert.deepEqual(identity, { mode: 'rpk', name: 'lamp-2' });
  });
});
