import assert from 'node:assert/strict';
import { Engine, type DeviceEvent } from '../../../src';
import { CoapCode } from '../../../src/coap';
import { ScriptedDevice } from '../../support/scripted-device';
import { asked, attributes, describeRequest, discover, ENDPOINT, FORMAT, OmaCase } from './support';

const SECOND_SERVER = '192.0.2.2:5683';

describe('OMA cases of a client with two servers', () => {
  let oma: OmaCase;
  let second: Engine;
  /** The client's side towards the second server. */
  let client: ScriptedDevice;
  const told: DeviceEvent[] = [];

  beforeEach(async () => {
    oma = await OmaCase.start();
    const { network, clock } = oma.harness;
    told.length = 0;
    second = new Engine({ noSec: 'any', clock, transports: [network.transport(SECOND_SERVER)] });
    second.on('device', (event) => told.push(event));
    await second.start();
    client = new ScriptedDevice(network, '192.0.2.10:40001', SECOND_SERVER);
    assert.equal(await oma.codeOf(client.register({ endpoint: ENDPOINT, lifetime: 60 })), '2.01');
  });

  afterEach(async () => {
    await second.close();
    await oma.close();
  });

  it('OMA 950 The client is registered with both, each with its own lifetime and location', async () => {
    assert.notDeepEqual(client.location, oma.client.location);
    assert.deepEqual([oma.view().lifetime, second.devices()[0]?.lifetime], [86_400, 60]);
    await oma.harness.clock.advance(70_000);
    assert.deepEqual(
      [oma.harness.topics(), told.map(({ topic }) => topic)],
      [['registered'], ['registered', 'expired']],
      'what ends with one server goes on with the other',
    );
  });

  it('OMA 951 Attributes are written and discovered by each server for itself', async () => {
    const first = { pmin: 2, pmax: 10 };
    const other = { pmin: 15, pmax: 50 };
    await oma.order(attributes('/3/0', first), asked('PUT /3/0?pmin=2&pmax=10').answers('2.04'));
    const written = second.perform(ENDPOINT, attributes('/3/0', other));
    const write = await client.expectRequest();
    assert.equal(describeRequest(write.message), 'PUT /3/0?pmin=15&pmax=50');
    write.reply(CoapCode.Changed);
    await written;

    const found = await oma.order(
      discover('/3/0'),
      asked('GET /3/0 accept=40').answers('2.05', FORMAT.link, '</3/0>;pmin=2;pmax=10,</3/0/0>'),
    );
    const discovering = second.perform(ENDPOINT, discover('/3/0'));
    const ask = await client.expectRequest();
    assert.equal(describeRequest(ask.message), 'GET /3/0 accept=40');
    ask.reply(CoapCode.Content, { contentFormat: FORMAT.link }, '</3/0>;pmin=15;pmax=50,</3/0/0>');
    const attributesOf = (payload: unknown) => (payload as { attributes: object }[])[0]?.attributes;
    assert.deepEqual([attributesOf(found.payload), attributesOf((await discovering).payload)], [first, other]);
  });
});
