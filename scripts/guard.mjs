// Refuses to go on with a Node.js that is too old. Plain syntax: an old Node.js must be able to read it.
const REQUIRED = [22, 13];

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < REQUIRED[0] || (major === REQUIRED[0] && minor < REQUIRED[1])) {
  console.error(
    `This project needs Node.js ${REQUIRED.join('.')} or newer, but ${process.execPath} is ${process.versions.node}: ` +
      'run it through npm after `npm ci`, without --ignore-scripts (that installs a Node.js for the project).',
  );
  process.exit(1);
}
