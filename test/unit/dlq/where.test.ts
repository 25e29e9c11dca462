import { execFileSync } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import { parseDimensions } from '../../../src/lib/dlq/dimension.ts';
import { matches } from '../../../src/lib/dlq/filter.ts';
import { createStats } from '../../../src/lib/dlq/stats.ts';
import { parseWhere, termFor } from '../../../src/lib/dlq/where.ts';
import type { Entry } from '../../../src/lib/model/entry.ts';
import { at, entry, stored } from './builders.ts';

const chooses = (term: string, of: Entry = entry()): boolean => matches({ where: parseWhere([term]) }, of);
const USAGE = expect.objectContaining({ code: 'USAGE' });

const dead = entry({
  detail: 'ETIMEDOUT: db is down',
  inner: {
    ...entry().inner,
    message: stored({
      payload: '{"id":"r7","error":{"code":7,"big":12345678901234567890},"a b":"x=y","list":[1],"none":""}',
      headers: [{ name: 'Trace-Id', value: 'abc' }],
    }),
  },
});

describe('a condition', () => {
  test.each<[string, boolean]>([
    ['subject=requests.dns', true],
    ['subject=requests', false],
    ['subject=requests.*', true],
    ['subject!=requests.dns', false],
    ['subject!=mail.*', true],
    ['consumer=worker', true],
    ['queue=REQUESTS', true],
    ['state=replayable', true],
    ['reason=max_deliveries', true],
    ['reason=*', true],
    ['detail=ETIMEDOUT*', true],
    ['detail=*down', true],
    ['detail=*db*is*', true],
    ['detail=*is*db*', false],
    ['detail=ETIMEDOUT: db is down', true],
    ['detail=ETIMEDOUT: db is dow', false],
    ['detail=', false],
    ['day=2026-01-02', true],
    ['hour=2026-01-02T03', true],
    ['hour=2026-01-02T04', false],
    ['header:Trace-Id=abc', true],
    ['header:trace-id=abc', true],
    ['header:Other=*', false],
    ['header:Other!=*', true],
    ['header:Other!=abc', true],
    ['json:.error.code=7', true],
    ['json:.error.code=07', false],
    ['json:.error.big=12345678901234567890', true],
    ['json:.["a b"]=x=y', true],
    ['json:.["a b"]!=x=y', false],
    ['json:.list=[1]', true],
    ['json:.none=', true],
    ['json:.none!=*', false],
    ['json:.missing=', false],
    ['json:.missing!=*', true],
  ])('%s: %s', (term, want) => {
    expect(chooses(term, dead)).toBe(want);
  });

  test.each([
    ['detail=line one line two', true],
    ['detail=*one line*', true],
    ['detail=line one\\x0aline two', true],
    ['detail=line one \\x0a line two\\x0a', true],
    ['detail=line one\\\\x0aline two', false],
    ['detail=line oneline two', false],
  ])('%s holds for words of two lines as they are shown: %s', (term, want) => {
    expect(chooses(term, entry({ detail: 'line one\n  line two\n' }))).toBe(want);
  });

  test.each([
    ['state=dead', 'give replayable, parked, gone or orphan'],
    ['state!=Replayable', 'give replayable, parked, gone or orphan'],
    ['reason=timeout', 'give max_deliveries, terminated or rejected'],
    ['reason=', 'give max_deliveries, terminated or rejected'],
    ['hour=23', 'write it as hour=2026-11-24T03, or *T03 of any day'],
    ['hour=2026-11-24T3', 'write it as hour=2026-11-24T03, or *T03 of any day'],
    ['day=today', 'write it as day=2026-11-24'],
    ['detail==x', 'write one; where the value begins with one, write that as \\x3d'],
    ['json:.a!==x', 'write one; where the value begins with one, write that as \\x3d'],
  ])('%s can never hold, and is refused', (text, hint) => {
    const message = `--where: ${JSON.stringify(text)} can never hold`;
    expect(() => parseWhere([text])).toThrow(expect.objectContaining({ code: 'USAGE', message, hints: [hint] }));
  });

  test.each([
    ['state=rep*', true],
    ['state!=gone', true],
    ['state=*', true],
    ['hour=*T03', true],
    ['hour=*T04', false],
    ['day=2026-01*', true],
    ['subject=>', true],
    ['subject=requests.>', true],
    ['subject!=requests.>', false],
    ['subject=request.>', false],
    ['subject=requests>', false],
    ['subject=requests.dns.>', false],
    ['subject=requests.\\x3e', false],
  ])('%s may hold: %s', (term, want) => {
    expect(chooses(term, dead)).toBe(want);
  });

  test.each([
    ['Detail=x', 'detail'],
    ['deatil!=x', 'detail'],
    ['json:type=mx', 'json:.type'],
    ['JSON:.type=mx', 'json:.type'],
    ['Header:X=1', 'header:X'],
    ['json.type=mx', 'json:.type'],
    ['header.X=1', 'header:X'],
  ])('%s is told what may be meant: %s', (text, key) => {
    const hints = expect.arrayContaining([`did you mean ${key}?`]);
    expect(() => parseWhere([text])).toThrow(expect.objectContaining({ hints }));
    expect(() => parseDimensions([text.replace(/!?=.*/, '')])).toThrow(expect.objectContaining({ hints }));
  });

  test.each([
    ['detail = x', 'detail=x'],
    ['subject != a b', 'subject!=a b'],
    [' json:.a =1', 'json:.a=1'],
  ])('%j is told to have no blanks around the sign', (text, tight) => {
    const hints = expect.arrayContaining([`write it without blanks around the sign: ${tight}`]);
    expect(() => parseWhere([text])).toThrow(expect.objectContaining({ hints }));
  });

  test.each(['colour=x', 'json:a b=x', ''])('%j is near to none', (text) => {
    expect(() => parseWhere([text])).toThrow(
      expect.objectContaining({ hints: [expect.stringMatching(/^write it as/)] }),
    );
  });

  test('has to hold with all others', () => {
    const both = (...terms: string[]) => matches({ where: parseWhere(terms) }, dead);
    expect(both('subject=requests.dns', 'json:.error.code=7')).toBe(true);
    expect(both('subject=requests.dns', 'json:.error.code=8')).toBe(false);
  });

  test.each(['', 'subject', '=x', 'colour=red', 'header:=x', 'json:=x', '!=x', 'json:.a..b=x'])(
    '%j is none',
    (text) => {
      expect(() => parseWhere([text])).toThrow(USAGE);
    },
  );

  test.each([
    ['detail=the command exited 7: took 5ms', true],
    ['detail=the command exited 7: took #ms', true],
    ['detail=the command exited*', true],
    ['detail=took 5ms (the command exited 7)', true],
    ['detail=took #ms*', true],
    ['detail!=the command exited 7: took 5ms', false],
    ['detail=the command exited 8: took 5ms', false],
    ['detail=took 6ms (the command exited 7)', false],
  ])('%s chooses what a worker of now wrote, and one of 0.1.0: %s', (term, want) => {
    for (const detail of ['took 5ms (the command exited 7)', 'the command exited 7: took 5ms'])
      expect({ detail, is: chooses(term, entry({ detail })) }).toEqual({ detail, is: want });
  });

  test.each(['consumer=x', 'reason=x', 'detail=x', 'state=x'])('%s is none of a request that waits', (text) => {
    expect(() => parseWhere([text], { alive: true })).toThrow(USAGE);
    expect(parseWhere(['json:.a=1', 'header:X!=2', 'subject=a', 'day=2026-01-02'], { alive: true })).toHaveLength(4);
  });

  test('with many stars takes no time that grows with their number', () => {
    const term = parseWhere([`detail=${'*a'.repeat(2000)}b`])[0]!;
    expect(term.holds(entry({ detail: 'a'.repeat(100_000) }))).toBe(false);
  });
});

const HOSTILE = [
  "it's",
  '"quoted" `id` $(id) $HOME !!',
  'two\nlines\r\n\ttab',
  '\u0000nul \u001b[2J\u202ebidi\u{e0001}tag\ud800lone',
  '*',
  'a*b\\*c\\\\',
  '\\x41\\u0041\\u{41}\\n',
  '-rf --yes',
  '::error::x ##[group]',
  '',
  ' ',
  'ünïcode 🎉',
  '=x',
  'a.>',
  '; rm -rf / #',
];

test.each(HOSTILE)('the condition for %j holds for it alone', (value) => {
  const [term] = parseWhere([termFor('detail', value)]);
  expect(term!.text).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
  expect(HOSTILE.filter((detail) => term!.holds(entry({ detail })))).toEqual([value]);
});

test('what has no value is chosen, and nothing else', () => {
  expect(chooses(termFor('detail', null))).toBe(true);
  expect(chooses(termFor('detail', null), entry({ detail: '' }))).toBe(false);
});

describe('groups', () => {
  const line = { words: ['osapi-ops', 'dlq', 'replay'], filter: {} };

  test('have their counts, the first and the last death, the last one as sample, and the line that replays them', () => {
    const stats = createStats(parseDimensions(['subject', 'json:.kind']), line);
    stats.add(entry({ id: 'Q/w/1', died_at: at(20) }));
    stats.add(entry({ id: 'Q/w/2', died_at: at(30) }));
    stats.add(entry({ id: 'Q/w/3', died_at: at(10) }));
    stats.add(entry({ id: 'Q/w/4', inner: { ...entry().inner, message: stored({ payload: 'no json' }) } }));
    expect(stats.result()).toEqual({
      total: 4,
      groups: [
        {
          by: { subject: 'requests.dns', 'json:.kind': 'dns' },
          count: 3,
          first_seen: at(10),
          last_seen: at(30),
          sample: 'Q/w/2',
          where: ['subject=requests.dns', 'json:.kind=dns'],
          replay: 'osapi-ops dlq replay --where subject=requests.dns --where json:.kind=dns',
        },
        {
          by: { subject: 'requests.dns', 'json:.kind': null },
          count: 1,
          first_seen: at(60),
          last_seen: at(60),
          sample: 'Q/w/4',
          where: ['subject=requests.dns', 'json:.kind!=*'],
          replay: "osapi-ops dlq replay --where subject=requests.dns --where 'json:.kind!=*'",
        },
      ],
    });
  });

  test.each([{ text: ['colour'] }, { text: ['subject, ,reason'] }, { text: [''] }])(
    'are by no such key as $text',
    ({ text }) => {
      expect(() => parseDimensions(text)).toThrow(USAGE);
    },
  );

  test('are by keys that are given with commas, one by one, or twice', () => {
    const names = (...texts: string[]) => parseDimensions(texts).map(({ name }) => name);
    expect(names('subject, reason', 'json:.["a,b"],day', 'subject')).toEqual([
      'subject',
      'reason',
      'json:.["a,b"]',
      'day',
    ]);
  });

  test('whose lines carry on what chose them, with times that stay', () => {
    const where = parseWhere(['header:X=1']);
    const filter = { queues: ['REQUESTS'], since: Date.parse(at(0)), match: '-x', where, limit: 3 };
    const stats = createStats(parseDimensions(['reason']), { ...line, filter });
    stats.add(entry());
    expect(stats.result().groups[0]!.replay).toBe(
      `osapi-ops dlq replay --queue REQUESTS --since ${at(0)} --match=-x --where header:X=1 --where reason=max_deliveries`,
    );
  });

  test('of what is gone have no line, and those that are parked say what tries them again', () => {
    const replayOf = (...entries: Entry[]) => {
      const stats = createStats(parseDimensions(['queue']), line);
      for (const one of entries) stats.add(one);
      return stats.result().groups[0]!.replay;
    };
    const parked = (replays: number) => entry({ state: 'parked', replays });
    expect(replayOf(entry({ state: 'gone' }))).toBeNull();
    expect(replayOf(parked(5), parked(4))).toBe('osapi-ops dlq replay --where queue=REQUESTS --max-replays 6');
    expect(replayOf(parked(3), entry({ replays: 2 }))).toBe(
      'osapi-ops dlq replay --where queue=REQUESTS --max-replays 4',
    );
  });

  test.each([999, 1000, 1001])('of values of %i characters are chosen by what tells them apart', (length) => {
    const stats = createStats(parseDimensions(['detail']), { words: [], filter: {} });
    const detail = 'x'.repeat(length);
    stats.add(entry({ detail }));
    const [term = ''] = stats.result().groups[0]!.replay!.split(' ').slice(1);
    expect(chooses(term.replaceAll("'", ''), entry({ detail }))).toBe(true);
    expect(chooses(term.replaceAll("'", ''), entry({ detail: `${detail.slice(0, 998)}y` }))).toBe(false);
  });

  test('of words that differ in numbers alone are one, with a sign, and its condition chooses just these', () => {
    const all = [
      'timeout after 3021ms',
      'timeout after 2980ms',
      'timeout after a break of 5ms',
      'timeout after *ms',
      'HTTP 404 for user 7',
      'HTTP 404 for user 8',
      'HTTP 500 for user 7',
      "it's \u001b[2J $(id) after 1ms",
      "it's \u001b[2J $(id) after 2ms",
      'db-7:5432 refused',
    ];
    const stats = createStats(parseDimensions(['detail']), { words: ['replay'], filter: {} });
    for (const detail of all) stats.add(entry({ detail }));
    const { groups } = stats.result();
    expect(Object.fromEntries(groups.map(({ by, count }) => [by.detail, count]))).toEqual({
      'timeout after #ms': 2,
      'timeout after a break of 5ms': 1,
      'timeout after *ms': 1,
      'HTTP 404 for user #': 2,
      'HTTP 500 for user 7': 1,
      "it's \u001b[2J $(id) after #ms": 2,
      'db-7:5432 refused': 1,
    });
    for (const { count, replay, where } of groups) {
      const pasted = execFileSync('sh', ['-c', `printf '%s\\0' ${replay!}`], { encoding: 'utf8' })
        .split('\0')
        .slice(2, 3);
      expect(pasted).toEqual(where);
      const [term] = parseWhere(pasted);
      expect(all.filter((detail) => term!.holds(entry({ detail })))).toHaveLength(count);
      const [other] = parseWhere(pasted.map((text) => text.replace('=', '!=')));
      expect(all.filter((detail) => other!.holds(entry({ detail })))).toHaveLength(all.length - count);
    }
  });

  test.each(HOSTILE)('of %j have a line that a shell reads back as it was meant', (value) => {
    const stats = createStats(parseDimensions(['detail']), {
      words: [],
      filter: { match: value.replaceAll('\0', '') },
    });
    stats.add(entry({ detail: value }));
    const words = execFileSync('bash', ['-c', `set -- ${stats.result().groups[0]!.replay}; printf '%s\\0' "$@"`], {
      encoding: 'utf8',
    }).split('\0');
    const [term] = parseWhere([words[words.indexOf('--where') + 1]!]);
    expect(HOSTILE.filter((detail) => term!.holds(entry({ detail })))).toEqual([value]);
  });
});

test('a key without a value is not said to mean itself', () => {
  expect(() => parseWhere(['detail'])).toThrow(
    expect.objectContaining({ hints: [expect.stringMatching(/^write it as KEY=VALUE/)] }),
  );
});
