import { TransportError } from '../../errors';
import { encodePlainRecord, MAX_SEQUENCE, RECORD_HEADER_LENGTH } from './record';
import type { RecordCipher } from './record-cipher';

/**
 * Numbers and writes the records of one connection: epoch 0 in the clear, epoch 1 sealed. A number is used once, also when
 * a message is sent again (RFC 6347 s4.2.4): with AEAD it is the nonce.
 */
export class RecordWriter {
  #plainSequence: number;
  #sealedSequence = 0;
  #cipher: RecordCipher | undefined;
  #cid: Buffer | undefined;

  /** @param firstSequence of epoch 0: the ServerHello takes that of the ClientHello (RFC 6347 s4.2.1). */
  constructor(firstSequence: number) {
    this.#plainSequence = firstSequence;
  }

  /** @param cid the connection id that the peer wants to see; `undefined` or empty: none. */
  setCipher(cipher: RecordCipher, cid: Buffer | undefined): void {
    this.#cipher = cipher;
    this.#cid = cid !== undefined && cid.length > 0 ? cid : undefined;
  }

  /** The most bytes of a record besides its data. */
  overhead(epoch: 0 | 1): number {
    const sealed = epoch === 1 ? (this.#cipher?.overhead ?? 0) + (this.#cid?.length ?? 0) : 0;
    return RECORD_HEADER_LENGTH + sealed;
  }

  /** @throws {TransportError} the sequence numbers are used up, or there is no cipher yet. */
  write(epoch: 0 | 1, type: number, data: Buffer): Buffer {
    if (epoch === 0) {
      if (this.#plainSequence > MAX_SEQUENCE) throw new TransportError('the record numbers of epoch 0 are used up');
      return encodePlainRecord(type, this.#plainSequence++, data);
    }
    if (this.#cipher === undefined) throw new TransportError('there are no keys yet');
    if (this.#sealedSequence > MAX_SEQUENCE) throw new TransportError('the record numbers of the session are used up');
    return this.#cipher.seal({ type, epoch, sequence: this.#sealedSequence++, cid: this.#cid }, data);
  }
}
