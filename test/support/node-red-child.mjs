/**
 * A real Node-RED in a process of its own, for test/support/node-red-process.ts: argument 1 is its settings as JSON.
 * Says over IPC where it listens, and stops when it is told to or when its parent is gone.
 */
import http from 'node:http';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
// Node-RED's own express, so that this project needs none.
const requireOfNodeRed = createRequire(require.resolve('node-red'));
const settings = JSON.parse(process.argv[2]);
const express = requireOfNodeRed('express');
const RED = require('node-red');

const app = express();
const server = http.createServer(app);
const { logLevel: level = 'warn', ...others } = settings;
RED.init(server, { ...others, logging: { console: { level, metrics: false, audit: false } } });
app.use(settings.httpAdminRoot, RED.httpAdmin);
app.use(settings.httpNodeRoot, RED.httpNode);
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const started = new Promise((resolve) => {
  RED.events.once('flows:started', resolve);
  RED.events.on('runtime-event', ({ id, payload }) => id === 'runtime-state' && payload?.error && resolve());
});
await RED.start();
await started;
process.send({ port: server.address().port });

async function stop() {
  await RED.stop();
  process.exit(0);
}
process.once('message', () => void stop());
process.once('disconnect', () => void stop());
