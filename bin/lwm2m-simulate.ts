#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { InvalidArgumentError, Lwm2mError } from '../src/errors';
import {
  DEVICE_KINDS,
  parseCredentials,
  parseKey,
  simulateFleet,
  type FleetEvent,
  type FleetOptions,
} from '../src/simulator';

const HELP = `lwm2m-simulate - a fleet of simulated LwM2M devices

  lwm2m-simulate --kind street-light --count 200 --server coap://127.0.0.1

  --kind <kind>        what to simulate: ${DEVICE_KINDS.join(', ')} (default ${DEVICE_KINDS[0]})
  --count <number>     how many devices (default 1)
  --server <uri>       the LwM2M server (default coap://127.0.0.1:5683)
  --prefix <text>      the devices are named by it and their number, from 1 (default by kind: lamp-, ac-, car-, meter-)
  --lifetime <s>       the lifetime of their registrations (default 60, of meters 3600)
  --queue-mode         they sleep between their exchanges with the server; meters do so anyway
  --no-queue-mode      they do not
  --awake-time <s>     how long they are awake after each exchange (default 93)
  --update-interval <s> how often they update, if not more seldom than the lifetime asks for (meters: 300)
  --vanish-every <s>   their modems lose the network so often, each at its own time ...
  --vanish-for <s>     ... for so long, and come back from another address
  --version <version>  the LwM2M version they speak: 1.0, 1.1, 1.2 (default 1.1)
  --psk-key <hex>      a key for coaps://, the same for all; their names are their identities
  --credentials <file> a file with the keys for coaps://: [{ "endpoint", "identity", "key" (hex) }, ...]
  --help               this text

Every device has a UDP port of its own. What stands on a command line other users of this machine can see: keys that
are more than a trial belong into a file. Ctrl-C de-registers them all; a second one ends at once.
`;

/** Exit code for a command line that cannot be. */
const BAD_USAGE = 2;

/** ms between two lines of progress. */
const PROGRESS_PERIOD = 1_000;

type CommandLine = Omit<FleetOptions, 'onEvent'>;

/** @throws {InvalidArgumentError} @returns undefined when help is asked for */
function readCommandLine(args: string[]): CommandLine | undefined {
  const { values, positionals } = parse(args);
  // Without quoting them: what lost its option may be a key.
  if (positionals.length > 0) throw new InvalidArgumentError('every value follows an option');
  if (values.help) return undefined;
  return {
    kind: values.kind,
    count: wholeNumber(values.count, '--count'),
    serverUri: values.server,
    endpointPrefix: values.prefix ?? usualPrefix(values.kind),
    lifetime: optionalNumber(values.lifetime, '--lifetime'),
    version: values.version,
    queueMode: values['queue-mode'],
    awakeTime: optionalNumber(values['awake-time'], '--awake-time'),
    updateInterval: optionalNumber(values['update-interval'], '--update-interval'),
    vanishing: readVanishing(values['vanish-every'], values['vanish-for']),
    security: readSecurity(values['psk-key'], values.credentials),
  };
}

/** @throws {InvalidArgumentError} whose text shows no key. */
function readSecurity(key: string | undefined, file: string | undefined): FleetOptions['security'] {
  if (key !== undefined && file !== undefined) {
    throw new InvalidArgumentError('there is either --psk-key or --credentials');
  }
  if (key !== undefined) return { mode: 'psk', key: parseKey(key, 'what is given with --psk-key') };
  if (file === undefined) return undefined;
  const credentials = parseCredentials(readText(file));
  return (endpoint) => {
    const known = credentials.get(endpoint);
    if (known === undefined) throw new InvalidArgumentError(`${file} has no credentials of ${endpoint}`);
    return known;
  };
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new InvalidArgumentError(`the credentials cannot be read: ${(error as Error).message}`);
  }
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      allowNegative: true,
      options: {
        kind: { type: 'string', default: DEVICE_KINDS[0] as string },
        count: { type: 'string', default: '1' },
        server: { type: 'string', default: 'coap://127.0.0.1:5683' },
        prefix: { type: 'string' },
        lifetime: { type: 'string' },
        'queue-mode': { type: 'boolean' },
        'awake-time': { type: 'string' },
        'update-interval': { type: 'string' },
        'vanish-every': { type: 'string' },
        'vanish-for': { type: 'string' },
        version: { type: 'string', default: '1.1' },
        'psk-key': { type: 'string' },
        credentials: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    // Its messages have hints in further sentences.
    const [sentence = ''] = String(error instanceof Error ? error.message : error).split('. ');
    throw new InvalidArgumentError(sentence.charAt(0).toLowerCase() + sentence.slice(1));
  }
}

/** What the devices of a kind are usually called. */
function usualPrefix(kind: string): string {
  return { 'air-conditioner': 'ac-', car: 'car-', meter: 'meter-' }[kind] ?? 'lamp-';
}

/** @throws {InvalidArgumentError} one of both without the other. */
function readVanishing(every: string | undefined, duration: string | undefined): FleetOptions['vanishing'] {
  if (every === undefined && duration === undefined) return undefined;
  if (every === undefined || duration === undefined) {
    throw new InvalidArgumentError('there is --vanish-every with --vanish-for, or none of them');
  }
  return { every: wholeNumber(every, '--vanish-every'), duration: wholeNumber(duration, '--vanish-for') };
}

function optionalNumber(text: string | undefined, option: string): number | undefined {
  return text === undefined ? undefined : wholeNumber(text, option);
}

function wholeNumber(text: string, option: string): number {
  if (!/^[0-9]{1,9}$/.test(text)) throw new InvalidArgumentError(`${option} takes a whole number, not '${text}'`);
  return Number(text);
}

async function main(): Promise<void> {
  const options = readCommandLine(process.argv.slice(2));
  if (options === undefined) {
    process.stdout.write(HELP);
    return;
  }
  const problems = new Problems();
  const fleet = simulateFleet({ ...options, onEvent: (event) => problems.note(event) });
  stopOnSignals(() => fleet.stop());
  let told = '';
  const tell = () => {
    const { registered, total } = fleet.counts;
    const line = `registered ${registered} of ${total}${problems.last}`;
    if (line !== told) console.log(line);
    told = line;
  };
  setInterval(tell, PROGRESS_PERIOD).unref();
  console.log(`starting ${options.count} x ${options.kind} towards ${options.serverUri}`);
  await fleet.start();
  tell();
}

/** The last thing that went wrong, for the line of progress; gone when a device has registered since. */
class Problems {
  last = '';

  note(event: FleetEvent): void {
    if (event.topic === 'registered') this.last = '';
    if (event.topic === 'failed' || event.topic === 'fault') this.last = ` (${event.endpoint}: ${event.error.message})`;
  }
}

function stopOnSignals(stop: () => Promise<void>): void {
  let stopping = false;
  const onSignal = () => {
    if (stopping) process.exit(130);
    stopping = true;
    console.log('de-registering');
    stop().then(() => process.exit(0), fail);
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
}

function fail(error: unknown): void {
  const known = error instanceof Lwm2mError;
  console.error(`lwm2m-simulate: ${known ? error.message : String(error instanceof Error ? error.stack : error)}`);
  process.exit(error instanceof InvalidArgumentError ? BAD_USAGE : 1);
}

main().catch(fail);
