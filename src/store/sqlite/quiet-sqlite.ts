/**
 * Node.js 22 says `ExperimentalWarning: SQLite is an experimental feature` on the first `require('node:sqlite')`. Its
 * behaviour is covered by our tests, and nobody who runs a server can do anything about it: it is left out. Every other
 * warning is said. To be imported before `node:sqlite`, by the worker only: warnings of a thread are its own.
 */
const emitWarning = process.emitWarning.bind(process) as (...args: unknown[]) => void;

process.emitWarning = (...args: unknown[]): void => {
  const [warning, type] = args;
  const name = warning instanceof Error ? warning.name : type;
  if (name === 'ExperimentalWarning' && String(warning).includes('SQLite')) return;
  emitWarning(...args);
};
