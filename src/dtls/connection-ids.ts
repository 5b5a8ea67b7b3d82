import { InvalidArgumentError } from '../errors';

/** Two bytes for the instance, six that no other connection of the instance has. */
export const CONNECTION_ID_LENGTH = 8;
const INSTANCE_LENGTH = 2;
const SERIAL_LENGTH = CONNECTION_ID_LENGTH - INSTANCE_LENGTH;

/** The instance's number that a connection id holds, for whoever routes datagrams to many instances. */
export function instanceOf(connectionId: Buffer): number {
  return connectionId.readUInt16BE(0);
}

/**
 * The connection ids that we ask peers to put into their records (RFC 9146 s3), and whose they are. They are of one length,
 * because a record does not say how long its connection id is, and random, so that they tell nothing of each other.
 */
export class ConnectionIds<Owner> {
  readonly #instance: number;
  readonly #random: (length: number) => Buffer;
  /** By serial number: 48 bits are a safe integer, and a number costs less than a Buffer. */
  readonly #owners = new Map<number, Owner>();

  /** @throws {InvalidArgumentError} the instance's number is not 0..65535. */
  constructor(instance: number, random: (length: number) => Buffer) {
    if (!Number.isInteger(instance) || instance < 0 || instance > 0xffff) {
      throw new InvalidArgumentError(`the instance's number must be 0 to 65535, not ${instance}`);
    }
    this.#instance = instance;
    this.#random = random;
  }

  get size(): number {
    return this.#owners.size;
  }

  /** The serial number of one that is not in use; `assign` it before the next is allocated. */
  allocate(): number {
    let serial: number;
    do serial = this.#random(SERIAL_LENGTH).readUIntBE(0, SERIAL_LENGTH);
    while (this.#owners.has(serial));
    return serial;
  }

  /** The connection id as records hold it. */
  encode(serial: number): Buffer {
    const connectionId = Buffer.alloc(CONNECTION_ID_LENGTH);
    connectionId.writeUInt16BE(this.#instance, 0);
    connectionId.writeUIntBE(serial, INSTANCE_LENGTH, SERIAL_LENGTH);
    return connectionId;
  }

  /** The owner; `undefined` also of one that another instance gave out. */
  find(connectionId: Buffer): Owner | undefined {
    if (instanceOf(connectionId) !== this.#instance) return undefined;
    return this.#owners.get(connectionId.readUIntBE(INSTANCE_LENGTH, SERIAL_LENGTH));
  }

  /** Says whose it is: first a handshake's, then its session's. */
  assign(serial: number, owner: Owner): void {
    this.#owners.set(serial, owner);
  }

  /** Frees it, unless it has another owner by now. */
  free(serial: number, owner: Owner): void {
    if (this.#owners.get(serial) === owner) this.#owners.delete(serial);
  }
}
