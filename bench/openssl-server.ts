import { spawn, type ChildProcess } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

/** Clock ticks a second in /proc, on every Linux that Node.js runs on. */
const TICKS = 100;

/** `openssl s_server` for PSK with cookies: DTLS of C, as a yardstick. It serves one peer at a time. */
export class OpensslServer {
  private constructor(
    private readonly child: ChildProcess,
    readonly port: number,
    /** Rejects when the program ends by itself. */
    readonly died: Promise<never>,
  ) {}

  /** @returns `undefined` when there is no such program. */
  static async start(pskHex: string): Promise<OpensslServer | undefined> {
    const port = await freePort();
    const options = ['-dtls1_2', '-listen', '-nocert', '-cipher', 'PSK-AES128-CCM8', '-psk', pskHex, '-quiet'];
    // Its standard input stays open: at the end of it the program ends.
    const child = spawn('openssl', ['s_server', ...options, '-accept', `127.0.0.1:${port}`], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    const died = once(child, 'exit').then(([code]) => {
      throw new Error(`openssl s_server ended with code ${code}`);
    });
    // Until somebody waits for it.
    died.catch(() => undefined);
    try {
      await once(child, 'spawn');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }
    return new OpensslServer(child, port, died);
  }

  /** User and system time of the process so far (proc(5): fields 14 and 15 of stat). */
  cpuSeconds(): number {
    const stat = readFileSync(`/proc/${this.child.pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill();
    await ended;
  }
}

async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}
