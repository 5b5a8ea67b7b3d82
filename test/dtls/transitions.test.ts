import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { nextState, TRANSITIONS, type ClientMessage, type HandshakeKind } from '../../src/dtls/handshake-transitions';
import { SeededRandom } from '../support/seeded-random';
import { Suite, Type } from '../support/dtls-client';
import { IS_SOAK, PSK, rawPublicKey, TestServer, type TestPeer } from './dtls-setup';

/** What a client may say after flight 4, one letter each. `f` is a Finished in the clear. */
const LETTERS = ['Certificate', 'KeyExchange', 'Verify', 'ChangeCipherSpec', 'Finished', 'PlainFinished'] as const;
type Letter = (typeof LETTERS)[number];

/** RFC 6347 s4.2.4, figures 1 and 2, as one sentence a handshake: written down apart from the table under test. */
const SENTENCES: Record<HandshakeKind, readonly Letter[]> = {
  psk: ['KeyExchange', 'Finished'],
  certificate: ['Certificate', 'KeyExchange', 'Verify', 'Finished'],
  resumption: ['Finished'],
};

/**
 * The model: the handshake messages must be the sentence, to the letter; ChangeCipherSpec carries no number, so that a server
 * cannot tell where it stood, but it must be there. What follows a complete sentence changes nothing.
 */
function connects(kind: HandshakeKind, word: readonly Letter[]): boolean {
  const sentence = SENTENCES[kind];
  const said = word.filter((letter) => letter !== 'ChangeCipherSpec').slice(0, sentence.length);
  return (
    word.includes('ChangeCipherSpec') && said.length === sentence.length && said.every((l, n) => l === sentence[n])
  );
}

function* words(depth: number): Generator<Letter[]> {
  if (depth === 0) return;
  for (const letter of LETTERS) yield [letter];
  for (const word of words(depth - 1))
    if (word.length === depth - 1) for (const letter of LETTERS) yield [...word, letter];
  if (depth > 1) for (const word of words(depth - 1)) if (word.length > 1) yield word;
}

/**
 * All words to depth 5 when soaking. Else all to depth 4, and of depth 5 those that say nothing twice where the sentence with
 * its ChangeCipherSpec has five letters: the orders of these, with and without a Finished in the clear.
 */
function wordsFor(kind: HandshakeKind): Letter[][] {
  const isLong = SENTENCES[kind].length === 4;
  return [...words(5)].filter((word) => IS_SOAK || word.length < 5 || (isLong && new Set(word).size === 5));
}

function say(client: TestPeer, letter: Letter): void {
  switch (letter) {
    case 'Certificate':
      return client.sendMessage(Type.certificate, client.certificateBody());
    case 'KeyExchange':
      client.sendMessage(Type.clientKeyExchange, client.keyExchangeBody());
      return client.deriveKeys();
    case 'Verify':
      return client.sendMessage(Type.certificateVerify, client.verifyBody());
    case 'ChangeCipherSpec':
      return client.sendChangeCipherSpec();
    case 'PlainFinished':
      return client.sendMessage(Type.finished, client.finishedBody(), 0);
    case 'Finished':
      // Without keys it cannot be sealed.
      return client.sendMessage(Type.finished, client.finishedBody(), client.keys === undefined ? 0 : 1);
  }
}

async function newServer(): Promise<TestServer> {
  const many = { handshakes: 1e6, handshakesPerNetwork: 1e6, sessionsPerIdentity: 1e6 };
  return TestServer.open({ limits: many });
}

/** A client of each kind whose server waits for flight 5. */
async function clientFor(server: TestServer, kind: HandshakeKind): Promise<() => TestPeer> {
  if (kind === 'psk') return () => server.client({ psk: PSK, certificate: rawPublicKey });
  if (kind === 'certificate') {
    return () => server.client({ suite: Suite.ecdsaCcm8, psk: undefined, certificate: rawPublicKey });
  }
  const { sessionId, master } = await server.connected();
  return () => server.client({ resume: { sessionId, master }, certificate: rawPublicKey });
}

/** Lets each word be said by a client of its own; answers which were let in. */
async function sayAll(kind: HandshakeKind, all: Letter[][], send = say): Promise<boolean[]> {
  const server = await newServer();
  const newClient = await clientFor(server, kind);
  const results: boolean[] = [];
  for (let start = 0; start < all.length; start += 200) {
    const batch = all.slice(start, start + 200).map((word) => ({ word, client: newClient() }));
    for (const { client } of batch) {
      client.answer = 'nothing';
      void client.connect();
    }
    for (let turn = 0; turn < 8; turn++) await server.clock.settle();
    for (const { client, word } of batch) {
      assert.ok(client.helloDone, 'the server did not answer');
      // What the server says to nonsense is of no interest here, only whom it lets in.
      client.raw.onDatagram = undefined;
      client.cork(() => {
        for (const letter of word) {
          send(client, letter);
          // Only a session reads this.
          if (letter === 'Finished' && client.keys !== undefined) client.send(Buffer.from(client.raw.address.host));
        }
      });
    }
    for (let turn = 0; turn < 4; turn++) await server.clock.settle();
    const heard = new Set(server.data);
    for (const { client } of batch) {
      const isConnected = heard.has(client.raw.address.host);
      // A session that was resumed more than once is where it was resumed last.
      if (kind !== 'resumption') assert.equal(server.dtls.channel(client.raw.address) !== undefined, isConnected);
      results.push(isConnected);
      client.raw.close();
    }
  }
  return results;
}

describe('The transition table', () => {
  it('holds exactly the sentences of RFC 6347, figures 1 and 2, with proof of identity mandatory', () => {
    for (const kind of ['psk', 'certificate', 'resumption'] as const) {
      const path: ClientMessage[] = [];
      let state: (typeof TRANSITIONS)[number]['from'] = 'client-hello';
      while (state !== 'connected') {
        const rows = TRANSITIONS.filter((row) => row.from === state && row.kinds.includes(kind));
        assert.equal(rows.length, 1, `${kind} has ${rows.length} ways on from ${state}`);
        const [row] = rows;
        assert.ok(row);
        path.push(row.on);
        assert.equal(nextState(kind, state, row.on), row.to);
        state = row.to;
      }
      const expected = {
        psk: 'ClientHello ClientKeyExchange ChangeCipherSpec Finished',
        certificate: 'ClientHello Certificate ClientKeyExchange CertificateVerify ChangeCipherSpec Finished',
        resumption: 'ClientHello ChangeCipherSpec Finished',
      }[kind];
      assert.equal(path.join(' '), expected);
    }
  });
});

describe('skipped handshake messages', () => {
  for (const kind of ['psk', 'certificate', 'resumption'] as const) {
    const all = wordsFor(kind);
    const which = IS_SOAK
      ? 'every word of messages to depth 5'
      : `${all.length} words of messages (SOAK=1: all to depth 5)`;
    it(`let nobody in: ${which} against the model (${kind})`, async function () {
      this.timeout(180_000);
      const toDepth4 = 6 + 6 ** 2 + 6 ** 3 + 6 ** 4;
      const ofDepth5 = kind === 'certificate' ? 6 * 5 * 4 * 3 * 2 : 0;
      assert.equal(all.length, toDepth4 + (IS_SOAK ? 6 ** 5 : ofDepth5));
      const results = await sayAll(kind, all);
      const wrong = all.filter((word, index) => results[index] !== connects(kind, word));
      assert.deepEqual(wrong, []);
      assert.ok(results.includes(true));
    });

    it(`nor does any message of a good handshake with one bit changed (${kind})`, async function () {
      this.timeout(60_000);
      const random = new SeededRandom(7);
      const good: Letter[] = [...SENTENCES[kind].slice(0, -1), 'ChangeCipherSpec', 'Finished'];
      const rounds = Array.from({ length: 300 }, () => good);
      // The client's own transcript keeps the true message: the change happens on the way.
      const results = await sayAll(kind, rounds, (client, letter) => {
        const victim = SENTENCES[kind][mutation % SENTENCES[kind].length];
        if (letter === 'Finished') mutation += 1;
        if (letter !== victim) return say(client, letter);
        client.tamper = (record) => {
          // Behind the record header: its numbers are not what the handshake protects.
          const bit = 13 * 8 + random.below((record.length - 13) * 8);
          const changed = Buffer.from(record);
          changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
          return changed;
        };
        say(client, letter);
        client.tamper = undefined;
      });
      assert.deepEqual(
        results.filter((isConnected) => isConnected),
        [],
      );
    });
  }

  let mutation = 0;

  it('are refused by unexpected_message: a Certificate without its CertificateVerify', async () => {
    const server = await newServer();
    const client = (await clientFor(server, 'certificate'))();
    client.answer = 'nothing';
    await client.connect();
    client.cork(() => {
      for (const letter of ['Certificate', 'KeyExchange', 'ChangeCipherSpec', 'Finished'] as const) say(client, letter);
    });
    await server.clock.settle();
    assert.equal(server.dtls.statistics.sessions, 0);
    assert.equal(server.dtls.statistics.handshakes, 1, 'it still waits for CertificateVerify');
    assert.deepEqual(client.alerts, []);
    // The next message is not a CertificateVerify either.
    client.nextSeq -= 1;
    client.sendMessage(Type.finished, client.finishedBody(), 0);
    await server.clock.settle();
    assert.deepEqual(client.alerts, ['2 10'], 'unexpected_message');
    assert.deepEqual([server.dtls.statistics.sessions, server.dtls.statistics.handshakes], [0, 0]);
  });
});
