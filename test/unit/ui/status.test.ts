import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { validateXML } from 'xmllint-wasm';
import { judgeHealth, unreachedReport } from '../../../src/lib/health/verdict.ts';
import type { Failing } from '../../../src/lib/model/failing.ts';
import type { Check, StatusReport } from '../../../src/lib/model/verdict.ts';
import { renderStatus, statusJson } from '../../../src/lib/ui/render/status.ts';
import { renderGithub } from '../../../src/lib/ui/render/status-github.ts';
import { renderStatusHtml } from '../../../src/lib/ui/render/status-html.ts';
import { renderJunit } from '../../../src/lib/ui/render/status-junit.ts';
import { renderStatusMarkdown } from '../../../src/lib/ui/render/status-markdown.ts';
import { renderNagios } from '../../../src/lib/ui/render/status-nagios.ts';
import { renderPrometheus } from '../../../src/lib/ui/render/status-prometheus.ts';
import { renderWatch, sparkline, watchLine } from '../../../src/lib/ui/render/status-watch.ts';
import { createTheme } from '../../../src/lib/ui/theme.ts';
import { consumerOf, deadOf, failingOf, NOW, queueOf, snapshotOf } from '../health/builders.ts';

const NASTY = 'a<b>&"\'`|*[x](y)\u001b[31m\u0000\u202e%0A\r\n::error::, ünï €';
const view = { theme: createTheme({ colour: false }), width: 100 };

const fine = judgeHealth(snapshotOf());
const sick = judgeHealth(
  snapshotOf({
    missing: ['bucket responses'],
    drift: { known: false, why: 'nothing was ever applied' },
    queues: [queueOf({ deadState: deadOf({ dead: 2 }) })],
  }),
);
const nothing = judgeHealth(snapshotOf({ system: null, queues: [] }));
const nasty: StatusReport = {
  ...sick,
  system: NASTY,
  checks: sick.checks.map((check): Check => ({ ...check, summary: NASTY })),
  queues: sick.queues.map((queue) => ({ ...queue, name: NASTY })),
};

describe('text', () => {
  test('is calm when all is well', () => {
    expect(renderStatus(fine, view)).toMatchInlineSnapshot(`
      "osapi is healthy: 0 waiting, 0 in flight, nothing dead
        nats://127.0.0.1:4222, server n1 2.15.1, account OSAPI
      "
    `);
  });

  test('has a line for each trouble, the worst first, and the command to type next', () => {
    expect(renderStatus(sick, view)).toMatchInlineSnapshot(`
      "osapi is critical: 0 waiting, 0 in flight, 2 dead
        nats://127.0.0.1:4222, server n1 2.15.1, account OSAPI

      Critical resources: missing: bucket responses [CHECK_RESOURCES]
               → nats server report jetstream
      Warning  REQUESTS.dead: 2 messages are dead [CHECK_DEAD]
               → osapi-ops dlq ls --queue REQUESTS
      Unknown  drift: nothing was ever applied [CHECK_DRIFT]
               → osapi-ops export
      "
    `);
  });
});

describe('what nobody knows', () => {
  const untold = () =>
    judgeHealth(snapshotOf({ queues: [queueOf({ deadState: deadOf({ unknown: 'there is no DLQ' }) })] }));
  const why = 'how many are dead is not known: there is no DLQ';

  test.each<[string, (report: StatusReport) => string, readonly string[]]>([
    ['text', (report) => renderStatus(report, view), ['0 in flight, dead unknown', 'Unknown  REQUESTS.dead: ', why]],
    ['JSON', (report) => JSON.stringify(statusJson(report)), ['"dead":null', `"status":"unknown","summary":"${why}"`]],
    [
      'junit',
      (report) => renderJunit(report, 'warning'),
      [`<skipped message="${why}"/>`, `unknown REQUESTS.dead: ${why}`],
    ],
    ['nagios', renderNagios, ['osapi UNKNOWN: ', `REQUESTS.dead: ${why} (CHECK_DEAD)`]],
    ['markdown', renderStatusMarkdown, ['| `REQUESTS` | 0 | 0 | unknown |', `❔ | \`REQUESTS.dead\` | ${why}`]],
    ['github', renderGithub, ['::notice ', `${why}. Next: `, '0 in flight, dead unknown']],
    ['html', (report) => renderStatusHtml([report]), ['dead unknown', '? unknown', why]],
    ['a watch', (report) => renderWatch([[{ report }]], { ...view, height: 40 }), ['dead       unknown ']],
  ])('is said by %s, and why', (_name, render, words) => {
    const said = render(untold());
    for (const word of words) expect(said).toContain(word);
    expect(said).not.toMatch(/nothing dead|\b0 dead/);
  });
  test('and how many there are for certain', () => {
    const report = judgeHealth(
      snapshotOf({ queues: [queueOf({ deadState: deadOf({ unknown: 'one is large', least: 64 }) })] }),
    );
    expect(renderStatus(report, view)).toContain('0 in flight, at least 64 dead');
    expect(renderStatus(report, view)).toContain('not known, at least 64: one is large');
    expect(renderStatusMarkdown(report)).toContain('| `REQUESTS` | 0 | 0 | ≥ 64 |');
    expect(renderStatusHtml([report])).toContain('at least 64 dead');
    expect(statusJson(report)).toMatchObject({ queues: [{ dead: null, dead_least: 64 }] });
    expect(renderWatch([[{ report: fine }], [{ report }]], { ...view, height: 40 })).toMatch(
      /^ {2}dead {7}at least 64 {4}▁█$/m,
    );
    expect(renderPrometheus(report)).toContain(
      'osapi_ops_queue_dead_least_messages{system="osapi",queue="REQUESTS"} 64',
    );
  });

  test('has no sample in the metrics, and a check that says so', () => {
    const said = renderPrometheus(untold());
    expect(said).toContain('osapi_ops_check_status{system="osapi",check="dead",resource="REQUESTS"} 3');
    expect(said).not.toMatch(/osapi_ops_dead_messages|state="dead"|dead_least/);
  });

  test('is told of a queue among several, though nothing else moves there', () => {
    const one = queueOf({ name: 'A', deadState: deadOf({ unknown: 'there is no DLQ' }) });
    expect(renderStatus(judgeHealth(snapshotOf({ queues: [one, queueOf({ name: 'B' })] })), view)).toMatch(
      /\n {2}A: .*dead unknown\n(?! {2}B)/,
    );
  });
});

describe('what fails now', () => {
  const shown = (failing: readonly Failing[], redelivered = 0, others: readonly Failing[] = []): string[] => {
    const queue = (name: string, all: readonly Failing[]) =>
      queueOf({ name, consumers: [consumerOf({ ackPending: 9, redelivered, waits: [15e9] })], failing: all });
    const queues = [queue('REQUESTS', failing), ...(others.length > 0 ? [queue('MAIL', others)] : [])];
    return renderStatus(judgeHealth(snapshotOf({ queues })), view)
      .split('\n')
      .filter((line) => /^ {2,}(?! |nats:)/.test(line));
  };
  const next = (ms: number) => new Date(NOW + ms).toISOString();
  const line = 'osapi-ops request ls --failing';

  test.each([
    { next: 4000, state: 'retry', words: 'in 4s' },
    { next: 1, state: 'retry', words: 'in 1s' },
    { next: 0, state: 'retry', words: 'due' },
    { next: -1, state: 'in_flight', words: 'now' },
  ] as const)('has its next try: $words', ({ next: ms, state, words }) => {
    expect(shown([failingOf({ next_delivery_at: next(ms), state })])).toEqual([
      '  1 fails now',
      `    r7: 3 of 10 tries, next ${words}: db is down`,
      `    → ${line}`,
    ]);
  });

  test('is told with what dies soon first, three at most, and without what a terminal would obey', () => {
    const many = [1, 2, 3, 9].map((deliveries) => failingOf({ request_id: `r${deliveries}`, deliveries }));
    expect(shown([...many, failingOf({ request_id: null, max_deliver: null, detail: 'a\u001b[31m\nb' })], 7)).toEqual([
      '  7 fail now; 1 dies if its next try fails too',
      '    r9: 9 of 10 tries, next in 4s: db is down',
      '    r3: 3 of 10 tries, next in 4s: db is down',
      '    r2: 2 of 10 tries, next in 4s: db is down',
      '    2 were delivered before, and no worker wrote down why: tried again within 15s without an ack,',
      '    when after a nak nobody knows',
      `    → ${line}`,
    ]);
    expect(shown([failingOf({ request_id: null, max_deliver: null, detail: 'a\u001b[31m\nb' })])[1]).toBe(
      '    sequence 7: 3 tries, next in 4s: a\\x1b[31m b',
    );
  });

  test('of several queues names the queue', () => {
    const mail = failingOf({ queue: 'MAIL', deliveries: 9 });
    const last = failingOf({ deliveries: 9, next_delivery_at: next(1000) });
    expect(shown([last], 0, [mail]).slice(-4)).toEqual([
      '  2 fail now; 2 die if their next try fails too',
      '    REQUESTS r7: 9 of 10 tries, next in 1s: db is down',
      '    MAIL r7: 9 of 10 tries, next in 4s: db is down',
      `    → ${line}`,
    ]);
  });

  test('is nothing where nothing does', () => {
    expect(shown([])).toEqual([]);
  });
});

describe('JSON', () => {
  test('has the keys of the contract, and no others', () => {
    const json = statusJson(sick);
    expect(Object.keys(json)).toEqual(['system', 'health', 'checks', 'queues', 'drift']);
    expect([...new Set(json.checks.flatMap((check) => Object.keys(check)))].sort()).toEqual([
      'code',
      'id',
      'status',
      'summary',
      'threshold',
      'value',
    ]);
    expect(Object.keys(json.queues[0]!)).toEqual([
      'name',
      'ready',
      'in_flight',
      'dead',
      'parked',
      'redelivered',
      'failing',
      'oldest_seconds',
      'responses',
    ]);
  });
});

describe('JUnit', () => {
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '',
    isArray: (name) => name === 'testcase',
  });
  const suiteOf = (xml: string) => parser.parse(xml).testsuites.testsuite;

  test('has one case for each check; what fails has its reason, what is not known is skipped', () => {
    const suite = suiteOf(renderJunit(sick, 'warning'));
    expect(suite.testcase).toHaveLength(sick.checks.length);
    expect(suite).toMatchObject({ tests: `${sick.checks.length}`, failures: '2', errors: '0', skipped: '1' });
    const failing = suite.testcase.filter((one: object) => 'failure' in one);
    expect(failing.map((one: { name: string }) => one.name)).toEqual(['resources', 'REQUESTS.dead']);
    expect(failing[0].failure).toMatchObject({ type: 'critical', message: 'missing: bucket responses' });
  });

  test('where there is nothing to judge, what says so fails', () => {
    const suite = suiteOf(renderJunit(nothing, 'critical'));
    expect(suite).toMatchObject({ failures: '1', skipped: '0' });
    expect(suite.testcase.filter((one: object) => 'failure' in one)).toMatchObject([{ name: 'resources' }]);
  });

  test('fails on what --fail-on says', () => {
    expect(suiteOf(renderJunit(sick, 'critical'))).toMatchObject({ failures: '1' });
  });

  test('keeps to the order and the attributes of the schema', () => {
    const suite = suiteOf(renderJunit(fine, 'warning'));
    expect(Object.keys(suite).filter((key) => typeof suite[key] === 'object' || suite[key] === '')).toEqual([
      'properties',
      'testcase',
      'system-out',
      'system-err',
    ]);
    expect(suite.timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/);
    for (const one of suite.testcase) expect(one).toMatchObject({ name: /./, classname: /./, time: '0' });
  });

  test.each([
    ['all is well', fine],
    ['something is not', sick],
    ['the words are nasty', nasty],
    ['no server is reached', unreachedReport('cannot reach nats://x:1', '2026-11-24T12:00:00.000Z')],
  ])('is valid by its schema where %s', async (_, report) => {
    const schema = readFileSync('test/support/junit.xsd', 'utf8');
    const verdict = (xml: string) => validateXML({ xml: [{ fileName: 'status.xml', contents: xml }], schema });
    const xml = renderJunit(report, 'warning');
    expect((await verdict(xml)).errors).toEqual([]);
    expect((await verdict(xml.replace('<testcase ', '<testcase strange="1" '))).valid).toBe(false);
  });

  test('is well-formed whatever the words are', () => {
    expect(XMLValidator.validate(renderJunit(nasty, 'warning'))).toBe(true);
    expect(renderJunit(nasty, 'warning')).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u202e]/);
  });
});

/** The text format's grammar: what a scraper reads, or a fault. */
function parsePrometheus(text: string): { name: string; labels: Record<string, string>; value: number }[] {
  const typed = new Map<string, string>();
  const seen = new Set<string>();
  return text
    .split('\n')
    .slice(0, -1)
    .flatMap((line) => {
      const meta = /^# (HELP|TYPE) ([a-z_][a-z0-9_]*) (.+)$/.exec(line);
      if (meta) {
        if (meta[1] === 'TYPE') typed.set(meta[2]!, meta[3]!);
        return [];
      }
      const sample = /^([a-z_][a-z0-9_]*)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (-?\d[\d.e+-]*)$/.exec(
        line,
      );
      if (!sample) throw new Error(`no sample: ${line}`);
      if (typed.get(sample[1]!) !== 'gauge') throw new Error(`${sample[1]} has no type`);
      if (seen.has(`${sample[1]}{${sample[2]}}`)) throw new Error(`twice: ${line}`);
      seen.add(`${sample[1]}{${sample[2]}}`);
      const labels = [...(sample[2] ?? '').matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)].map((one) => [one[1], one[2]]);
      return [{ name: sample[1]!, labels: Object.fromEntries(labels), value: Number(sample[3]) }];
    });
}

describe('Prometheus', () => {
  test('reads as its text format, in base units', () => {
    const samples = parsePrometheus(renderPrometheus(sick));
    const value = (name: string, labels: object = {}) =>
      samples.find(
        (one) => one.name === name && Object.entries(labels).every(([key, text]) => one.labels[key] === text),
      )?.value;
    expect(value('osapi_ops_up')).toBe(1);
    expect(value('osapi_ops_health_status', { system: 'osapi' })).toBe(2);
    expect(value('osapi_ops_connection_seconds')).toBe(0.0005);
    expect(value('osapi_ops_queue_messages', { queue: 'REQUESTS', state: 'dead' })).toBe(2);
    expect(value('osapi_ops_check_status', { check: 'drift' })).toBe(3);
  });

  test('escapes labels, whatever the names are', () => {
    expect(() => parsePrometheus(renderPrometheus(nasty))).not.toThrow();
  });
});

describe('GitHub', () => {
  test('gets an error or a warning for each trouble', () => {
    expect(renderGithub(sick).split('\n').slice(0, 3)).toEqual([
      '::error title=osapi resources::missing: bucket responses. Next: nats server report jetstream. CHECK_RESOURCES',
      '::warning title=osapi REQUESTS.dead::2 messages are dead. Next: osapi-ops dlq ls --queue REQUESTS. CHECK_DEAD',
      '::notice title=osapi drift::nothing was ever applied. Next: osapi-ops export. CHECK_DRIFT',
    ]);
  });

  test('gets an error where there is nothing to judge', () => {
    expect(renderGithub(nothing)).toMatch(/^::error title=the server resources::there is nothing to judge/);
  });

  test('gets no more annotations than it shows; the last one names the rest', () => {
    const many: StatusReport = {
      ...sick,
      checks: Array.from({ length: 25 }, (_, n) => ({ id: `c${n}`, name: 'dead', status: 'critical', summary: 'bad' })),
    };
    const errors = renderGithub(many)
      .split('\n')
      .filter((line) => line.startsWith('::error '));
    expect(errors).toHaveLength(10);
    expect(errors[9]).toMatch(/^::error title=16 more::osapi c9, .*c24$/);
  });

  test('is not led to obey what a name says', () => {
    const lines = renderGithub(nasty).split('\n').filter(Boolean);
    expect(lines).toHaveLength(nasty.checks.filter(({ status }) => status !== 'ok').length + 1);
    for (const line of lines.slice(0, -1)) expect(line).toMatch(/^::(error|warning|notice) title=[^:,]*::/);
    expect(lines.at(-1)).not.toMatch(/^::/);
  });
});

describe('Markdown', () => {
  test('has a table of the queues and one of the troubles', () => {
    const text = renderStatusMarkdown(sick);
    expect(text).toContain('### ❌ osapi is critical');
    expect(text).toContain('| `REQUESTS` | 0 | 0 | 2 | 0s | – |');
    expect(text).toContain(
      '| ⚠️ | `REQUESTS.dead` | 2 messages are dead (CHECK_DEAD) | `osapi-ops dlq ls --queue REQUESTS` |',
    );
  });

  test('keeps its tables whatever the words are', () => {
    const rows = renderStatusMarkdown(nasty)
      .split('\n')
      .filter((line) => line.startsWith('| ⚠️'));
    for (const row of rows) expect(row.match(/(?<!\\)\|/g)).toHaveLength(5);
    const outsideCode = renderStatusMarkdown(nasty).replace(/(?<!\\)`[^`]*`/g, '');
    expect(outsideCode).not.toMatch(/(?<!\\)<b/);
  });
});

describe('nagios', () => {
  test('has one line: words, a bar, figures with their limits', () => {
    const line = renderNagios(sick);
    expect(line).toMatch(
      /^osapi CRITICAL: resources: missing: bucket responses \(CHECK_RESOURCES\); .* \| 'connection'=0\.5ms;500;1000 /,
    );
    expect(line).toContain(`'REQUESTS.dead'=2;1;100`);
    expect(renderNagios(nasty).match(/\|/g)).toHaveLength(1);
    expect(renderNagios(nasty).trimEnd()).not.toContain('\n');
  });
});

describe('watching', () => {
  test('draws how a figure went', () => {
    expect(sparkline([0, 1, 2, 4, 8])).toBe('▁▂▃▅█');
    expect(sparkline([0, 0])).toBe('▁▁');
  });

  test('fits the screen', () => {
    const screen = renderWatch([[{ report: fine }], [{ report: sick }]], { ...view, width: 40, height: 10 });
    expect(screen.split('\n').length).toBeLessThan(10);
  });

  test('draws the queues of each of several systems, from when it was there', () => {
    const [one, other] = [{ report: fine }, { report: { ...sick, system: 'mail' } }];
    const screen = renderWatch([[one], [one, other], [one, other]], { ...view, height: 99 });
    expect(screen).toMatch(/^osapi: REQUESTS\n {2}waiting .*▁▁▁\n/m);
    expect(screen).toMatch(/^mail: REQUESTS\n.*\n.*\n {2}dead {7}2 {14}██$/m);
  });

  test('is a line each time off a terminal', () => {
    expect(watchLine(sick)).toBe(
      '2026-11-24T12:00:00.000Z osapi critical: REQUESTS: 0 waiting, 0 in flight, 2 dead (resources: missing: bucket responses)',
    );
  });
});
