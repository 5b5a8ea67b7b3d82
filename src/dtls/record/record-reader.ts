import type { DtlsRecord } from './record';
import { openRecord, type OpenedRecord, type RecordCipher } from './record-cipher';
import { ReplayWindow } from './replay-window';

export interface ReadRecord extends OpenedRecord {
  /** No record before it had a higher number: the peer is now where it came from (RFC 9146 s6). */
  readonly isNewest: boolean;
}

/** Why a record was not read. */
export type ReadFailure = 'replayed' | 'forged';

/** Opens the records of epoch 1 of one connection, each once. */
export class RecordReader {
  readonly #cipher: RecordCipher;
  readonly #window = new ReplayWindow();

  constructor(cipher: RecordCipher) {
    this.#cipher = cipher;
  }

  read(record: DtlsRecord): ReadRecord | ReadFailure {
    if (record.epoch !== 1) return 'forged';
    if (!this.#window.isFresh(record.sequence)) return 'replayed';
    const opened = openRecord(this.#cipher, record);
    if (opened === undefined) return 'forged';
    const isNewest = record.sequence > this.#window.newest;
    this.#window.mark(record.sequence);
    return { type: opened.type, data: opened.data, isNewest };
  }
}
