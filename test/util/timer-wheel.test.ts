import assert from 'node:assert/strict';
import fc from 'fast-check';
import { TimerWheel } from '../../src/util/timer-wheel';
import { SimulatedClock } from '../support/simulated-clock';

describe('TimerWheel', () => {
  it('runs a timer once, not before its delay and at most a tick later', async () => {
    const clock = new SimulatedClock();
    const wheel = new TimerWheel(clock);
    const ran: number[] = [];
    await clock.advance(1_234);
    wheel.schedule(2_000, () => ran.push(clock.monotonic()));
    await clock.advance(60_000);
    assert.equal(ran.length, 1);
    assert.ok((ran[0] as number) >= 3_234 && (ran[0] as number) <= 3_334, `ran at ${ran[0]}`);
  });

  it('keeps delays of any length and any schedule and cancel order', async () => {
    const step = fc.record({ delay: fc.integer({ min: 0, max: 300_000 }), pause: fc.nat(5_000), cancel: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const clock = new SimulatedClock();
        const wheel = new TimerWheel(clock);
        const late: string[] = [];
        let expected = 0;
        let ran = 0;
        for (const { delay, pause, cancel } of steps) {
          const due = clock.monotonic() + delay;
          const timer = wheel.schedule(delay, () => {
            ran += 1;
            const now = clock.monotonic();
            if (cancel || now < due || now > due + 200) late.push(`due ${due} ran ${now} cancelled ${cancel}`);
          });
          if (cancel) timer.cancel();
          else expected += 1;
          await clock.advance(pause);
        }
        await clock.advance(310_000);
        assert.deepEqual(late, []);
        assert.equal(ran, expected);
        assert.equal(wheel.size, 0);
        assert.equal(clock.timers, 0, 'an idle wheel keeps no timer running');
      }),
      { numRuns: 60 },
    );
  });

  it('lets a callback cancel a timer that is due at the same tick, and schedule new ones', async () => {
    const clock = new SimulatedClock();
    const wheel = new TimerWheel(clock);
    const ran: string[] = [];
    wheel.schedule(1_000, () => {
      ran.push('first');
      second.cancel();
      wheel.schedule(0, () => ran.push('third'));
    });
    const second = wheel.schedule(1_000, () => ran.push('second'));
    await clock.advance(5_000);
    assert.deepEqual(ran, ['first', 'third']);
  });

  it('ignores a cancel that comes late or twice', async () => {
    const clock = new SimulatedClock();
    const wheel = new TimerWheel(clock);
    const timer = wheel.schedule(100, () => undefined);
    const other = wheel.schedule(500, () => undefined);
    await clock.advance(200);
    timer.cancel();
    other.cancel();
    other.cancel();
    assert.equal(wheel.size, 0);
  });

  it('keeps one clock timer for thousands of its own', () => {
    const clock = new SimulatedClock();
    const wheel = new TimerWheel(clock);
    for (let index = 0; index < 5_000; index += 1) wheel.schedule(10_000 - index, () => undefined);
    assert.equal(wheel.size, 5_000);
    assert.equal(clock.timers, 1);
  });

  it('runs nothing once closed', async () => {
    const clock = new SimulatedClock();
    const wheel = new TimerWheel(clock);
    let ran = 0;
    wheel.schedule(100, () => (ran += 1));
    wheel.close();
    wheel.schedule(100, () => (ran += 1));
    await clock.advance(1_000);
    assert.equal(ran, 0);
    assert.equal(clock.timers, 0);
  });
});
