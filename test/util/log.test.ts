import assert from 'node:assert/strict';
import { describeError, escapeForLog, rateLimited } from '../../src/util/log';
import { keepingLog } from '../support/coap-fixture';
import { SimulatedClock } from '../support/simulated-clock';

describe('escapeForLog', () => {
  it('leaves plain text of any script as it is', () => {
    assert.equal(escapeForLog('urn:imei:1234 Straße 灯'), 'urn:imei:1234 Straße 灯');
  });

  it('makes one line of an endpoint name with line ends', () => {
    assert.equal(escapeForLog('lamp\r\n2030-01-01 admin logged in'), 'lamp\\u{d}\\u{a}2030-01-01 admin logged in');
    assert.equal(escapeForLog('a\u2028b\u2029c\u0085d'), 'a\\u{2028}b\\u{2029}c\\u{85}d');
  });

  it('disarms ANSI sequences, marks that turn the text and lone surrogates', () => {
    assert.equal(escapeForLog('\u001b[31mred\u009b1m'), '\\u{1b}[31mred\\u{9b}1m');
    assert.equal(escapeForLog('abc\u202etxt.exe\u2066\u200b'), 'abc\\u{202e}txt.exe\\u{2066}\\u{200b}');
    assert.equal(escapeForLog('\ud800'), '\\u{d800}');
  });

  it('cuts long text', () => {
    assert.equal(escapeForLog('x'.repeat(200)), `${'x'.repeat(120)}...`);
    assert.equal(escapeForLog('abcdef', 3), 'abc...');
  });
});

describe('describeError', () => {
  it('is one line, with the stack', () => {
    const text = describeError(new Error('boom\nnext line'));
    assert.match(text, /^Error: boom \| next line \| at /);
    assert.ok(!text.includes('\n'));
    assert.equal(describeError('just text'), 'just text');
  });
});

describe('rateLimited', () => {
  it('lets so many lines a minute through and says how many it held back', async () => {
    const clock = new SimulatedClock();
    const lines: string[] = [];
    const log = rateLimited(keepingLog(lines), clock, 2);
    for (const text of ['a', 'b', 'c', 'd']) log.info(text);
    assert.deepEqual(lines, ['info: a', 'info: b']);
    await clock.advance(60_000);
    log.error('e');
    assert.deepEqual(lines.slice(2), ['warn: 2 more lines were held back', 'error: e']);
  });
});
