/**
 * `npm start`: Node-RED with the example city deployed, for a first look. Everything it keeps is in .demo/;
 * `npm start -- --fresh` begins anew, `--directory` is another place than .demo/, and the environment's PORT is another
 * port for the editor than 1880.
 */
import { randomBytes } from 'node:crypto';
import dgram from 'node:dgram';
import fs from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cityOf, DASHBOARD } from './city.mjs';

const HOST = '127.0.0.1';
const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const { values: options } = parseArgs({
  options: { fresh: { type: 'boolean' }, directory: { type: 'string', default: path.join(root, '.demo') } },
});
const userDir = path.resolve(options.directory);
const flowFile = path.join(userDir, 'flows.json');
const secretFile = path.join(userDir, 'secret');
const require = createRequire(import.meta.url);
// Node-RED's own express, so that this project needs none.
const express = createRequire(require.resolve('node-red'))('express');

/** What beginning anew forgets: the flows, their credentials and what the server has stored. Nothing else is touched. */
const KEPT = ['flows.json', 'flows_cred.json', 'lwm2m'];

/** Something the user must put right, said in one sentence. */
class Obstacle extends Error {}

function portOfEditor() {
  const port = Number(process.env.PORT ?? 1880);
  if (Number.isInteger(port) && port > 0 && port < 65536) return port;
  throw new Obstacle(`PORT must be a number of 1 to 65535, not '${process.env.PORT}'.`);
}

function prepareUserDir() {
  if (options.fresh) for (const name of KEPT) fs.rmSync(path.join(userDir, name), { recursive: true, force: true });
  fs.mkdirSync(userDir, { recursive: true });
  if (!fs.existsSync(flowFile)) fs.writeFileSync(flowFile, `${JSON.stringify(cityOf(), null, 2)}\n`);
  if (!fs.existsSync(secretFile)) fs.writeFileSync(secretFile, randomBytes(24).toString('hex'), { mode: 0o600 });
}

function settings() {
  return {
    userDir,
    flowFile: 'flows.json',
    nodesDir: [root, DASHBOARD],
    uiHost: HOST,
    httpAdminRoot: '/editor',
    httpNodeRoot: '/',
    credentialSecret: fs.readFileSync(secretFile, 'utf8'),
    logging: { console: { level: 'error', metrics: false, audit: false } },
    telemetry: { enabled: false, updateNotification: false },
    editorTheme: { tours: false, projects: { enabled: false }, palette: { catalogues: [] } },
    externalModules: { palette: { allowInstall: false }, modules: { allowInstall: false } },
  };
}

/** Listens, or says that the port is taken. */
function listen(server, port) {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const taken = `TCP port ${port} is taken by another program: stop that, or choose another port: PORT=${port + 1} npm start`;
      reject(error.code === 'EADDRINUSE' ? new Obstacle(taken) : error);
    });
    server.listen(port, HOST, resolve);
  });
}

/** The devices' ports are opened by a node, whose complaint would only be seen in the editor: so look before. */
async function checkDevicePorts() {
  const servers = JSON.parse(fs.readFileSync(flowFile, 'utf8')).filter(({ type, d }) => type === 'lwm2m-server' && !d);
  for (const { host, coapPort = 5683, coapsPort = 5684 } of servers) {
    for (const port of [coapPort, coapsPort].map(Number)) if (port > 0) await checkUdp(host || '::', port);
  }
}

function checkUdp(host, port) {
  return new Promise((resolve, reject) => {
    const socket = dgram.createSocket(host.includes(':') ? 'udp6' : 'udp4');
    socket.once('error', (error) => {
      const taken = `UDP port ${port}, which the devices use, is taken by another program: stop that and start again.`;
      socket.close();
      if (error.code === 'EADDRINUSE') reject(new Obstacle(taken));
      // A machine without IPv6 is the server node's business.
      else resolve();
    });
    socket.bind({ port, address: host, exclusive: true }, () => socket.close(resolve));
  });
}

function stopOnSignal(RED, server) {
  let stopping = false;
  const stop = async () => {
    if (stopping) process.exit(130);
    stopping = true;
    await RED.stop();
    server.closeAllConnections();
    process.exit(0);
  };
  process.on('SIGINT', () => void stop());
  process.on('SIGTERM', () => void stop());
}

/** Resolves when the flows run, or when something is missing that the editor then asks about. */
function flowsStarted(RED) {
  return new Promise((resolve) => {
    RED.events.once('flows:started', resolve);
    RED.events.on('runtime-event', ({ id, payload }) => {
      if (id === 'runtime-state' && payload?.error) resolve();
    });
  });
}

async function start() {
  const port = portOfEditor();
  prepareUserDir();
  const app = express();
  const server = http.createServer(app);
  await listen(server, port);
  await checkDevicePorts();
  const RED = require('node-red');
  RED.init(server, settings());
  app.get('/', (_request, response) => response.sendFile(path.join(root, 'scripts', 'start-page.html')));
  app.use('/editor', RED.httpAdmin);
  app.use('/', RED.httpNode);
  stopOnSignal(RED, server);
  const started = flowsStarted(RED);
  await RED.start();
  await started;
  const address = `http://${HOST}:${port}/`;
  console.log(`
The example city is running.

  Start here  ${address}           four pages: street lights, air conditioning, the car, suspension
  Editor      ${address}editor/    the flows behind them, one tab a page

The devices are simulated. They speak CoAP over DTLS (coaps), each with a key of its own that was made just now.
Ctrl-C stops it. What you change and deploy is kept in ${path.relative(root, userDir)}; npm start -- --fresh begins anew.
`);
}

try {
  await start();
} catch (error) {
  console.error(error instanceof Obstacle ? error.message : error);
  process.exit(1);
}
