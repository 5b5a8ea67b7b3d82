import assert from 'node:assert/strict';
import { asked, bytes, FORMAT, OmaCase, readComposite, writeComposite } from './support';

describe('OMA cases of composite operations', () => {
  let oma: OmaCase;

  beforeEach(async () => {
    oma = await OmaCase.start({ links: '</1/0>,</3/0>,</16/0>' });
  });

  afterEach(async () => {
    await oma.close();
  });

  describe('Read-Composite', () => {
    it('OMA 229 Read-Composite of an object and an instance, and of single values, as SenML JSON', async () => {
      const wide = asked('FETCH / format=110 accept=110', '[{"n":"/3"},{"n":"/1/0"}]').answers(
        '2.05',
        FORMAT.senmlJson,
        '[{"bn":"/3/0/","n":"0","vs":"Open Mobile Alliance"},{"n":"11/0","v":0},{"bn":"/1/0/","n":"1","v":86400}]',
      );
      const { payload } = await oma.order(readComposite(['/3', '/1/0'], 'senml-json'), wide);
      assert.deepEqual(payload, { '/3': { 0: { 0: 'Open Mobile Alliance', 11: { 0: 0 } } }, '/1/0': { 1: 86_400 } });

      const narrow = asked('FETCH / format=110 accept=110', '[{"n":"/1/0/1"},{"n":"/3/0/11/0"}]').answers(
        '2.05',
        FORMAT.senmlJson,
        '[{"n":"/1/0/1","v":86400},{"n":"/3/0/11/0","v":0}]',
      );
      const values = await oma.order(readComposite(['/1/0/1', '/3/0/11/0'], 'senml-json'), narrow);
      assert.deepEqual(values.payload, { '/1/0/1': 86_400, '/3/0/11/0': 0 });
    });

    it('OMA 229 Read-Composite as SenML CBOR', async () => {
      const step = asked('FETCH / format=112 accept=112', bytes('82  A1 00 66 "/1/0/1"  A1 00 69 "/3/0/11/0"')).answers(
        '2.05',
        FORMAT.senmlCbor,
        bytes('82  A2 00 66 "/1/0/1" 02 1A 00 01 51 80  A2 00 69 "/3/0/11/0" 02 00'),
      );
      const { payload } = await oma.order(readComposite(['/1/0/1', '/3/0/11/0'], 'senml-cbor'), step);
      assert.deepEqual(payload, { '/1/0/1': 86_400, '/3/0/11/0': 0 });
    });

    it('OMA 235 Read-Composite of the root gives every object, and none that holds keys', async () => {
      const step = asked('FETCH / format=110 accept=110', '[{"n":"/"}]').answers(
        '2.05',
        FORMAT.senmlJson,
        // A client must leave out objects 0, 21 and 23; one that does not is not given away.
        '[{"n":"/0/0/5","vd":"c2VjcmV0"},{"n":"/1/0/1","v":86400},{"n":"/3/0/0","vs":"Open Mobile Alliance"},' +
          '{"n":"/16/0/0/0","vs":"a"},{"n":"/21/0/0","vd":"c2VjcmV0"}]',
      );
      const { payload } = await oma.order(readComposite(['/'], 'senml-json'), step);
      assert.deepEqual(payload, {
        '/': { 1: { 0: { 1: 86_400 } }, 3: { 0: { 0: 'Open Mobile Alliance' } }, 16: { 0: { 0: { 0: 'a' } } } },
      });
      assert.deepEqual(
        Object.keys(oma.view().values).filter((path) => /^\/(0|21|23)\//.test(path)),
        [],
      );
    });

    it('OMA 236 Read-Composite with paths that the client has not: they are left out', async () => {
      const paths = ['/1/0', '/3/0/11/0', '/3339/0/5522', '/3353/0/6030'];
      const body = '[{"n":"/1/0"},{"n":"/3/0/11/0"},{"n":"/3339/0/5522"},{"n":"/3353/0/6030"}]';
      const answer = '[{"bn":"/1/0/","n":"0","v":1},{"n":"1","v":86400},{"bn":"/3/0/11/","n":"0","v":0}]';
      const step = asked('FETCH / format=110 accept=110', body).answers('2.05', FORMAT.senmlJson, answer);
      const { payload, fallback } = await oma.order(readComposite(paths, 'senml-json'), step);
      assert.deepEqual(payload, { '/1/0': { 0: 1, 1: 86_400 }, '/3/0/11/0': 0 });
      assert.equal(fallback, undefined);
    });

    it('OMA 280 Read-Composite of a resource, a resource instance and an instance', async () => {
      const step = asked(
        'FETCH / format=112 accept=112',
        bytes('83  A1 00 67 "/3/0/16"  A1 00 69 "/3/0/11/0"  A1 00 64 "/1/0"'),
      ).answers(
        '2.05',
        FORMAT.senmlCbor,
        bytes(`85
          A3 21 65 "/3/0/" 00 62 "16" 03 61 "U"
          A2 00 64 "11/0" 02 00
          A3 21 65 "/1/0/" 00 61 "0" 02 01
          A2 00 61 "1" 02 1A 00 01 51 80
          A2 00 61 "6" 04 F4`),
      );
      const { payload } = await oma.order(readComposite(['/3/0/16', '/3/0/11/0', '/1/0'], 'senml-cbor'), step);
      assert.deepEqual(payload, { '/3/0/16': 'U', '/3/0/11/0': 0, '/1/0': { 0: 1, 1: 86_400, 6: false } });
    });

    it('OMA 281 Read-Composite with an executable resource: it is left out', async () => {
      const body = '[{"n":"/1/0/1"},{"n":"/1/0/7"},{"n":"/1/0/8"}]';
      const answer = '[{"n":"/1/0/1","v":86400},{"n":"/1/0/7","vs":"U"}]';
      const step = asked('FETCH / format=110 accept=110', body).answers('2.05', FORMAT.senmlJson, answer);
      const { payload } = await oma.order(readComposite(['/1/0/1', '/1/0/7', '/1/0/8'], 'senml-json'), step);
      assert.deepEqual(payload, { '/1/0/1': 86_400, '/1/0/7': 'U' });
    });
  });

  describe('Write-Composite', () => {
    const VALUES = {
      '/1/0/1': 60,
      '/1/0/6': true,
      '/16/0/0': { 0: 'aa', 1: 'bb', 2: 'cc', 3: 'dd' },
    };

    it('OMA 230 Write-Composite over two objects is one iPATCH, as SenML JSON', async () => {
      const body =
        '[{"n":"/1/0/1","v":60},{"n":"/1/0/6","vb":true},{"n":"/16/0/0/0","vs":"aa"},{"n":"/16/0/0/1","vs":"bb"},' +
        '{"n":"/16/0/0/2","vs":"cc"},{"n":"/16/0/0/3","vs":"dd"}]';
      await oma.order(writeComposite(VALUES, 'senml-json'), asked('iPATCH / format=110', body).answers('2.04'));
      assert.equal(await oma.update(['lt=60']), '2.04');
      assert.equal(oma.view().lifetime, 60);
      assert.equal(oma.view().values['/1/0/6']?.commanded?.value, true);
    });

    it('OMA 230 Write-Composite over two objects is one iPATCH, as SenML CBOR', async () => {
      const body = bytes(`86
        A2 00 66 "/1/0/1" 02 18 3C
        A2 00 66 "/1/0/6" 04 F5
        A2 00 69 "/16/0/0/0" 03 62 "aa"
        A2 00 69 "/16/0/0/1" 03 62 "bb"
        A2 00 69 "/16/0/0/2" 03 62 "cc"
        A2 00 69 "/16/0/0/3" 03 62 "dd"`);
      const step = asked('iPATCH / format=112', body).answers('2.04');
      const { code, contentFormat } = await oma.order(writeComposite(VALUES, 'senml-cbor'), step);
      assert.deepEqual([code, contentFormat], ['2.04', 'senml-cbor']);
    });

    it('OMA 230 Write-Composite that the client refuses is not repeated in pieces', async () => {
      const values = { '/1/0/1': 60, '/3/0/0': 'x' };
      const body = '[{"n":"/1/0/1","v":60},{"n":"/3/0/0","vs":"x"}]';
      await oma.refused(writeComposite(values, 'senml-json'), asked('iPATCH / format=110', body).answers('4.05'));
      await oma.harness.clock.advance(10_000);
      assert.equal(oma.client.inbox.length, 0);
    });

    it('OMA 257 Write-Composite over Server and Device, a time among the values', async () => {
      const values = { '/1/0/2': 102, '/1/0/6': true, '/3/0/13': new Date('2013-05-02T10:40:15Z') };
      const json = '[{"n":"/1/0/2","v":102},{"n":"/1/0/6","vb":true},{"n":"/3/0/13","v":1367491215}]';
      await oma.order(writeComposite(values, 'senml-json'), asked('iPATCH / format=110', json).answers('2.04'));
      const cbor = bytes(`83
        A2 00 66 "/1/0/2" 02 18 66
        A2 00 66 "/1/0/6" 04 F5
        A2 00 67 "/3/0/13" 02 1A 51 82 42 8F`);
      await oma.order(writeComposite(values, 'senml-cbor'), asked('iPATCH / format=112', cbor).answers('2.04'));
    });
  });
});
