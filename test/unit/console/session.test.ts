import { describe, expect, test } from '@jest/globals';
import { IDLE_MS, type SessionOptions, Sessions } from '../../../src/lib/console/session.ts';

const DAY = 24 * 3600_000;

function make(options: Partial<SessionOptions> = {}) {
  const tokens: string[] = [];
  const clock = { now: 1_000_000 };
  const sessions = new Sessions({
    port: 8222,
    now: () => clock.now,
    onToken: (token) => tokens.push(token),
    ...options,
  });
  const begin = () => {
    const { id, key } = sessions.begin(tokens.at(-1)!);
    return { cookie: `${sessions.cookie}=${id}`, key };
  };
  const isAlive = ({ cookie, key }: { cookie: string; key?: string }) => {
    try {
      sessions.find(cookie, key);
      return true;
    } catch (error) {
      expect(error).toMatchObject({ code: 'CONSOLE_SESSION' });
      return false;
    }
  };
  return { sessions, tokens, clock, begin, isAlive };
}

describe('a token', () => {
  test('of ours is good once, and has 256 bits', () => {
    const { sessions, tokens } = make();
    const [first] = tokens;
    expect(Buffer.from(first!, 'base64url')).toHaveLength(32);
    sessions.begin(first!);
    expect(() => sessions.begin(first!)).toThrow(expect.objectContaining({ code: 'CONSOLE_SESSION' }));
    expect(tokens).toHaveLength(2);
    sessions.begin(tokens[1]!);
  });

  test('of one’s own is good again and again', () => {
    const token = 't'.repeat(32);
    const { sessions, tokens } = make({ token });
    for (let count = 0; count < 3; count++) sessions.begin(token);
    expect(tokens).toEqual([token]);
    expect(() => sessions.begin(`${token}t`)).toThrow();
  });
});

describe('a session', () => {
  test('is found by both halves, whatever else a browser sends along', () => {
    const { begin, isAlive } = make();
    const { cookie, key } = begin();
    const stale = 'osapi_ops_console_8222=old';
    expect(isAlive({ cookie: `a=b; ${stale}; ${cookie}; c=d`, key })).toBe(true);
    expect(isAlive({ cookie: `x${cookie}`, key })).toBe(false);
    expect(isAlive({ cookie, key: `${key}x` })).toBe(false);
    expect(isAlive({ cookie, key: '' })).toBe(false);
    expect(isAlive({ cookie: '', key })).toBe(false);
    expect(isAlive({ cookie: `${Array(8).fill(stale).join('; ')}; ${cookie}`, key })).toBe(false);
  });

  test.each([
    { name: 'just heard of', after: [IDLE_MS], want: true },
    { name: 'silent for too long', after: [IDLE_MS + 1], want: false },
    { name: 'heard of in between', after: [IDLE_MS, IDLE_MS], want: true },
  ])('$name', ({ after, want }) => {
    const { clock, begin, isAlive } = make();
    const one = begin();
    const seen = after.map((ms) => {
      clock.now += ms;
      return isAlive(one);
    });
    expect(seen.at(-1)).toBe(want);
  });

  test('with an open stream is not silent, and ends after a day all the same', () => {
    const { sessions, clock, begin, isAlive } = make();
    const one = begin();
    let closed = 0;
    sessions.find(one.cookie, one.key).streams.add(() => {
      closed += 1;
    });
    for (const end = clock.now + DAY; clock.now < end; ) {
      clock.now = Math.min(end, clock.now + IDLE_MS * 2);
      sessions.sweep();
    }
    expect([isAlive(one), closed]).toEqual([true, 0]);
    clock.now += 1;
    expect([isAlive(one), closed]).toEqual([false, 1]);
  });

  test('beyond eight ends the one that was silent for longest', () => {
    const { clock, begin, isAlive } = make();
    const all = Array.from({ length: 8 }, () => {
      clock.now += 1;
      return begin();
    });
    expect(isAlive(all[0]!)).toBe(true);
    clock.now += 1;
    expect(isAlive(all[0]!)).toBe(true);
    begin();
    expect(all.map(isAlive)).toEqual([true, false, true, true, true, true, true, true]);
  });
});
