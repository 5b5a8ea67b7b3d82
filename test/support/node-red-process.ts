import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

export const PACKAGE_ROOT = path.resolve(__dirname, '..', '..');

export type Flow = Record<string, unknown> & { id: string; type: string };

export interface NodeRedOptions {
  /** Deployed from the start. */
  flows?: readonly Flow[];
  /** Where the editor and the admin API are, `/` unless said. */
  httpAdminRoot?: string;
  /** More settings of Node-RED; `logLevel` is `warn` unless said. */
  settings?: Record<string, unknown>;
}

/** A Node-RED of its own process and user directory, with this package as it was built. */
export class NodeRedProcess {
  /** What it said on its console: warnings and errors, unless its log level is another. */
  readonly output: string[] = [];

  private constructor(
    private readonly child: ChildProcess,
    readonly userDir: string,
    /** The address of the editor, with a slash at its end. */
    readonly url: string,
  ) {
    child.stdout?.on('data', (text: Buffer) => this.output.push(text.toString()));
    child.stderr?.on('data', (text: Buffer) => this.output.push(text.toString()));
  }

  static async start(options: NodeRedOptions = {}): Promise<NodeRedProcess> {
    const { flows = [], httpAdminRoot = '/', settings: more = {} } = options;
    const userDir = await mkdtemp(path.join(tmpdir(), 'node-red-'));
    await writeFile(path.join(userDir, 'flows.json'), JSON.stringify(flows));
    const settings = {
      userDir,
      flowFile: 'flows.json',
      nodesDir: [PACKAGE_ROOT],
      httpAdminRoot,
      httpNodeRoot: '/',
      credentialSecret: 'of a test',
      telemetry: { enabled: false, updateNotification: false },
      editorTheme: { tours: false, palette: { catalogues: [] } },
      externalModules: { palette: { allowInstall: false }, modules: { allowInstall: false } },
      ...more,
    };
    const child = fork(path.join(__dirname, 'node-red-child.mjs'), [JSON.stringify(settings)], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      execArgv: [],
    });
    const early: string[] = [];
    const listen = (text: Buffer): void => void early.push(text.toString());
    child.stdout?.on('data', listen);
    child.stderr?.on('data', listen);
    const port = await new Promise<number>((resolve, reject) => {
      child.once('message', (message: { port: number }) => resolve(message.port));
      child.once('exit', (code) => reject(new Error(`Node-RED ended with ${code}: ${early.join('')}`)));
    });
    child.stdout?.off('data', listen);
    child.stderr?.off('data', listen);
    const running = new NodeRedProcess(child, userDir, `http://127.0.0.1:${port}${httpAdminRoot}`);
    running.output.push(...early);
    return running;
  }

  async stop(): Promise<void> {
    const ended = once(this.child, 'exit');
    this.child.send('stop');
    await ended;
    await rm(this.userDir, { recursive: true, force: true });
  }

  async get<T>(route: string): Promise<T> {
    return (await this.fetch(route)) as T;
  }

  async flows(): Promise<Flow[]> {
    return this.get<Flow[]>('flows');
  }

  /** Deploys these flows in place of all others. */
  async deploy(flows: readonly Flow[], type: 'full' | 'nodes' = 'full'): Promise<void> {
    await this.fetch('flows', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'Node-RED-Deployment-Type': type },
      body: JSON.stringify(flows),
    });
  }

  /** Presses the button of an inject node. */
  async press(injectId: string): Promise<void> {
    await this.fetch(`inject/${injectId}`, { method: 'POST' });
  }

  /** Switches a debug node on or off, as its button does. */
  async setDebug(debugId: string, on: boolean): Promise<void> {
    await this.fetch(`debug/${debugId}/${on ? 'enable' : 'disable'}`, { method: 'POST' });
  }

  private async fetch(route: string, init: RequestInit = {}): Promise<unknown> {
    const headers = { accept: 'application/json', ...(init.headers as Record<string, string> | undefined) };
    const response = await fetch(this.url + route, { ...init, headers });
    const text = await response.text();
    if (!response.ok) throw new Error(`${init.method ?? 'GET'} ${route}: ${response.status} ${text}`);
    return response.headers.get('content-type')?.includes('json') === true ? JSON.parse(text) : text;
  }
}
