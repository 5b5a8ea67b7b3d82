import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createPublicKey, X509Certificate, type KeyObject } from 'node:crypto';
import type { Context } from 'mocha';
import { CoapCode, CoapStack, type IncomingRequest } from '../../../src/coap';
import { ALL_CIPHER_SUITES, DtlsTransport, type DtlsOptions } from '../../../src/dtls';
import { UdpTransport } from '../../../src/transport/udp';
import { systemClock } from '../../../src/util/clock';
import { newAuthority, newCertificate, type TestCertificate } from '../../support/certificates';
import { spkiOf } from '../dtls-setup';

export const PSK_HEX = '73656372657450534b'; // secretPSK
export const TIME = 'half past eight';

/** Skips the tests of a suite when the program is not installed; on CI that is a failure. */
export function needs(context: Context, program: string): void {
  const found = spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
  if (found) return;
  if (process.env['CI'] !== undefined) throw new Error(`${program} is not installed, and CI must have it`);
  console.log(`      (${program} is not installed: its tests are skipped)`);
  context.skip();
}

/** A server on a real socket that knows dev1 by key, by raw public key and by certificate, and answers GET /time. */
export class InteropServer {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'dtls-interop-'));
  readonly authority = newAuthority({ commonName: 'ca' });
  readonly device = newCertificate({ commonName: 'dev1', isAuthority: false }, this.authority);
  readonly requests: IncomingRequest[] = [];
  readonly dtls: DtlsTransport;
  readonly #coap: CoapStack;

  constructor(options: Partial<DtlsOptions> = {}) {
    const own = newCertificate({ commonName: 'localhost', dnsNames: ['localhost'] }, this.authority);
    const spki = spkiOf(this.device.key);
    this.dtls = new DtlsTransport(new UdpTransport({ host: '127.0.0.1', port: 0 }), {
      clock: systemClock,
      instance: 7,
      cipherSuites: ALL_CIPHER_SUITES,
      credentials: {
        psk: (identity) => Promise.resolve(identity === 'dev1' ? Buffer.from(PSK_HEX, 'hex') : undefined),
        serverKey: own.key,
        serverCertificateChain: [own.certificate],
        trustAnchors: [this.authority.certificate],
        verifyRawPublicKey: (key) => Promise.resolve(key.equals(spki) ? 'dev1' : undefined),
      },
      ...options,
    });
    this.#coap = new CoapStack({
      clock: systemClock,
      handler: (request) => {
        this.requests.push(request);
        const isTime = request.options.uriPath?.join('/') === 'time';
        return isTime
          ? { code: CoapCode.Content, options: { contentFormat: 0 }, payload: Buffer.from(TIME) }
          : { code: CoapCode.NotFound };
      },
    });
    this.#write('ca.pem', new X509Certificate(this.authority.raw).toString());
    this.#write('dev1.pem', this.device.certificate.toString());
    this.#write('dev1.key', pem(this.device.key));
    this.#write('dev1.pub', createPublicKey(this.device.key).export({ format: 'pem', type: 'spki' }).toString());
    const stranger: TestCertificate = newCertificate({ commonName: 'stranger' });
    this.#write('stranger.pem', stranger.certificate.toString());
    this.#write('stranger.key', pem(stranger.key));
  }

  static async open(options?: Partial<DtlsOptions>): Promise<InteropServer> {
    const server = new InteropServer(options);
    await server.#coap.open(server.dtls);
    return server;
  }

  get port(): string {
    return String(this.dtls.localAddress?.port);
  }

  get identities(): string[] {
    return this.requests.map(({ channel }) => `${channel.identity.mode} ${channel.identity.name}`);
  }

  file(name: string): string {
    return path.join(this.folder, name);
  }

  async close(): Promise<void> {
    await this.#coap.close();
    rmSync(this.folder, { recursive: true });
  }

  #write(name: string, content: string): void {
    writeFileSync(this.file(name), content, { mode: 0o600 });
  }
}

function pem(key: KeyObject): string {
  return key.export({ format: 'pem', type: 'sec1' }).toString();
}

/** A CoAP GET /time with the message id 0x1234 and no token, as bytes for programs that only carry them. */
export const GET_TIME = Buffer.from('40011234b474696d65', 'hex');

/**
 * Runs a program until it ends, or until its output holds `until`; answers all that it wrote. `input` is written once the output
 * holds `inputAfter`.
 */
export function run(
  command: string,
  args: readonly string[],
  { input, inputAfter = '', until }: { input?: Buffer; inputAfter?: string; until?: string } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'pipe' });
    let output = '';
    let pending = input;
    const look = (data: Buffer) => {
      output += data.toString('latin1');
      if (pending !== undefined && output.includes(inputAfter)) {
        child.stdin.write(pending);
        pending = undefined;
      }
      if (until !== undefined && output.includes(until)) child.kill();
    };
    child.stdout.on('data', look);
    child.stderr.on('data', look);
    child.on('error', reject);
    child.on('close', () => resolve(output));
  });
}
