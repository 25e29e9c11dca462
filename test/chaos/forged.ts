import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { parseArchiveLine, printArchiveLine } from '../../src/lib/dlq/archive.ts';
import { advisorySubject, REJECT_HEADER, REJECT_KEPT, rejectedSubject } from '../../src/lib/facts/names.ts';
import type { StoredMessage } from '../../src/lib/model/message.ts';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { publish } from '../../src/lib/nats/message-writes.ts';
import { getRange } from '../../src/lib/nats/messages.ts';
import { headerValue, parseHeaders, printHeaders } from '../../src/lib/nats/raw-headers.ts';
import { anyText } from '../support/any-text.ts';
import { runCli } from '../support/cli.ts';
import { connectTo } from '../support/connected.ts';
import { makeDead, makeQueue, put, wipe } from '../support/dead-letters.ts';
import { startServer } from '../support/server.ts';
import { record } from '../unit/dlq/builders.ts';

export interface ForgedReport {
  /** What came to pass that must not, each with its round. */
  readonly faults: readonly string[];
  /** Forged records that the DLQ took. */
  readonly records: number;
  /** Forged lines of archives. */
  readonly lines: number;
  /** How often a command ended with which exit code. */
  readonly codes: Readonly<Record<string, number>>;
  /** What was replayed or imported of all that. */
  readonly moved: number;
}

/** Streams that are nobody's business, by the subjects that they take. */
const FOREIGN = { OTHER: 'other.>', KV_config: '$KV.config.>', INBOXES: '_INBOX.x.>' } as const;
const GENUINE = 3;
const NOW = '2026-01-01T00:00:00Z';

const NAMES = ['REQUESTS', 'REQUESTS_dlq', 'request-worker', ...Object.keys(FOREIGN)];
const ODD = ['', ' ', '.', '*', '>', 'a b', 'a\u0007', '\u001b[2J', '__proto__', 'constructor', 'toString'];
const SUBJECTS = [
  'requests.dns',
  'requests.*',
  'requests.>',
  'requests..dns',
  'requests.a b',
  'requests.\u0000',
  'other.x',
  '$KV.config.key',
  '$KV.osapi_ops.journal.REQUESTS',
  '_INBOX.x.y',
  '$SYS.REQ.SERVER.PING',
  '$JS.ACK.REQUESTS.request-worker.1.1.1.1.0',
  rejectedSubject('REQUESTS', 'x'),
  advisorySubject('max_deliveries', 'REQUESTS', 'x'),
  ...['STREAM.DELETE', 'STREAM.PURGE', 'CONSUMER.NAMES'].flatMap((verb) =>
    ['OTHER', 'REQUESTS', 'KV_config'].map((stream) => `$JS.API.${verb}.${stream}`),
  ),
];
const NUMBERS = [
  '1',
  '2',
  '0',
  '-1',
  '1.5',
  '1e400',
  '0x10',
  'NaN',
  '9007199254740993',
  '18446744073709551615',
  '9'.repeat(40),
];
const TIMES = [
  NOW,
  '',
  'never',
  '0001-01-01T00:00:00Z',
  '9999-12-31T23:59:59.999999999Z',
  '+275760-09-13T00:00:00.001Z',
];

/** What a header's value can be: no line ends in it. */
const line = anyText({ maxLength: 20 }).map((text) => text.replace(/[\r\n]/g, ''));
/** Mostly what is in order, so that what is not stands alone in its record. */
const oneOf = (good: string | fc.Arbitrary<string>, all: readonly string[]): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 7, arbitrary: typeof good === 'string' ? fc.constant(good) : good },
    { weight: 2, arbitrary: fc.constantFrom(...all) },
    { weight: 1, arbitrary: fc.constantFrom(...ODD) },
    { weight: 1, arbitrary: line },
  );
const seqs = oneOf(fc.nat().map(String), NUMBERS);
const subjects = oneOf('requests.dns', SUBJECTS);
const payloads = fc.oneof(
  fc.constantFrom(
    '',
    '{"id":"__proto__"}',
    '{"__proto__":{"id":"x"},"id":{"constructor":1}}',
    '[',
    'null',
    '{"id":1e400}',
  ),
  fc.json(),
);

interface Forged {
  readonly subject: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly payload: string;
}

const rejects: fc.Arbitrary<Forged> = fc
  .record({
    told: fc.record(
      {
        stream: oneOf('REQUESTS', NAMES),
        consumer: oneOf('request-worker', NAMES),
        seq: seqs,
        subject: subjects,
        reason: line,
        time: oneOf(NOW, TIMES),
        deliveries: oneOf('1', NUMBERS),
      },
      { requiredKeys: ['stream', 'consumer', 'seq', 'subject'] },
    ),
    more: fc.dictionary(
      fc.constantFrom(
        ...['Nats-Msg-Id', 'Nats-Rollup', 'Nats-Expected-Stream', 'Nats-TTL'].map((name) => `${REJECT_KEPT}${name}`),
        'Osapi-Replay-Count',
        'Osapi-Replay-Of',
        'Osapi-Original-Msg-Id',
        '__proto__',
      ),
      oneOf('1', [...NUMBERS, 'all', 'REQUESTS']),
    ),
    payload: payloads,
  })
  .map(({ told, more, payload }) => ({
    subject: rejectedSubject('REQUESTS', 'request-worker'),
    headers: [
      ...Object.entries(told).map(([key, value]) => ({
        name: REJECT_HEADER[key as keyof typeof REJECT_HEADER],
        value,
      })),
      ...Object.entries(more).map(([name, value]) => ({ name, value })),
    ],
    payload,
  }));

const asNumber = (text: string): unknown => (Number.isFinite(Number(text)) ? Number(text) : text);

const advisories: fc.Arbitrary<Forged> = fc
  .record({
    subject: fc.constantFrom(...(['max_deliveries', 'terminated'] as const)),
    payload: fc.oneof(
      payloads,
      fc
        .record({
          type: oneOf('io.nats.jetstream.advisory.v1.max_deliver', ['io.nats.jetstream.advisory.v1.terminated']),
          id: line,
          timestamp: oneOf(NOW, TIMES),
          stream: oneOf('REQUESTS', NAMES),
          consumer: oneOf('request-worker', NAMES),
          stream_seq: seqs.map(asNumber),
          deliveries: oneOf('1', NUMBERS).map(asNumber),
        })
        .map((told) => JSON.stringify(told)),
    ),
  })
  .map(({ subject, payload }) => ({
    subject: advisorySubject(subject, 'REQUESTS', 'request-worker'),
    headers: [],
    payload,
  }));

/** Lines whose digest and form are right: with any other, nothing of the file is taken. */
const archiveLines: fc.Arbitrary<string> = fc
  .record({
    consumer: oneOf('request-worker', NAMES),
    seq: fc.oneof(fc.nat(), fc.constantFrom(-1, 0, 1.5, 2 ** 53, 1e300)),
    subject: subjects,
    raw: fc.option(subjects),
    payload: payloads,
    time: oneOf(NOW, TIMES),
  })
  .map(({ consumer, seq, subject, raw, payload, time }) => {
    const queue = 'REQUESTS';
    const dead: StoredMessage = {
      stream: queue,
      seq,
      subject,
      time,
      headers: new Uint8Array(0),
      payload: Buffer.from(payload),
    };
    return printArchiveLine({
      id: `${queue}/${consumer}/${seq}`,
      queue,
      consumer,
      seq,
      subject,
      request_id: null,
      state: 'replayable',
      reason: 'max_deliveries',
      detail: null,
      deliveries: 1,
      died_at: time,
      published_at: time,
      size: payload.length,
      replays: 0,
      inner: {
        records: raw === null ? [] : [{ ...record(), raw: { ...dead, stream: 'REQUESTS_dlq', subject: raw } }],
        original: dead,
        message: dead,
        streamCreated: NOW,
      },
    });
  })
  .filter(isLine);

function isLine(text: string): boolean {
  try {
    return parseArchiveLine(text, '') !== undefined;
  } catch {
    return false;
  }
}

const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/;

/**
 * Puts forged records into a DLQ, beside some that are true, and has them replayed; then the same with a forged archive.
 * Nobody else's stream may change by it, and what a command says must be readable.
 */
export async function playForged({
  version,
  seed,
  rounds,
  each = 40,
  naive = false,
}: {
  readonly version: string;
  readonly seed: number;
  readonly rounds: number;
  /** Forged records, and forged lines, of a round. */
  readonly each?: number;
  /** Puts records where they say, instead of our commands: what the look at the streams has to see. */
  readonly naive?: boolean;
}): Promise<ForgedReport> {
  const server = await startServer({ version });
  const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-forged-'));
  const nats = await connectTo(server);
  const faults: string[] = [];
  const codes: Record<string, number> = {};
  let [records, lines, moved] = [0, 0, 0];
  try {
    for (let round = 0; round < rounds; round++) {
      const fault = (text: string) => void faults.push(`round ${round} (seed ${seed + round}): ${text}`);
      const sample = <T>(of: fc.Arbitrary<T>) => fc.sample(of, { seed: seed + round, numRuns: each });
      await makeQueue(nats);
      for (const [name, subject] of Object.entries(FOREIGN)) {
        await nats.api(`STREAM.CREATE.${name}`, { name, subjects: [subject], storage: 'memory' });
        await put(nats, subject.replace('>', 'kept'), 'kept');
      }
      await makeDead(nats, GENUINE);
      for (const { subject, headers, payload } of sample(fc.oneof(rejects, rejects, advisories))) {
        await publish(nats, subject, Buffer.from(payload), printHeaders(headers));
        records += 1;
      }
      const archive = join(dir, `${round}.ndjson`);
      const forged = sample(archiveLines);
      lines += forged.length;
      writeFileSync(archive, forged.join('\n'));
      const before = await look(nats);
      const commands = [
        ['dlq', 'replay'],
        ['dlq', 'import', archive],
        ['dlq', 'replay'],
      ];
      for (const args of commands) {
        const name = args.slice(0, 2).join(' ');
        if (naive) await believe(nats);
        else {
          const { code, stdout, stderr } = await runCli([...args, '--json'], { server });
          codes[`${name} ${code}`] = (codes[`${name} ${code}`] ?? 0) + 1;
          if (code !== 0 && code !== 1) fault(`${name} ended with ${code}: ${stderr.slice(0, 500)}`);
          if (!isJson(stdout)) fault(`${name} printed no JSON: ${JSON.stringify(stdout.slice(0, 500))}`);
          if (CONTROL.test(stderr))
            fault(`${name} printed control characters: ${JSON.stringify(stderr.slice(0, 500))}`);
          moved += Number(/"(?:replayed|imported)": (\d+)/.exec(stdout)?.[1] ?? 0);
        }
        const after = await look(nats);
        if (after !== before) fault(`${name} changed streams: ${before} became ${after}`);
        if (naive) break;
      }
      const queued: string[] = [];
      for await (const { subject, payload } of getRange(nats, 'REQUESTS', 1)) {
        if (!/^requests\.[^.*>]+$/.test(subject)) fault(`the queue holds ${JSON.stringify(subject)}`);
        queued.push(Buffer.from(payload).toString());
      }
      for (let index = 0; index < GENUINE; index++) {
        const count = queued.filter((payload) => payload === `{"id":"r${index}","query":"example.com"}`).length;
        if (count !== 1) fault(`the true dead letter r${index} is ${count} times in the queue`);
      }
      await wipe(nats);
    }
  } finally {
    await nats.close();
    await server.stop();
    rmSync(dir, { recursive: true, force: true });
  }
  return { faults, records, lines, moved, codes };
}

/** Publishes what the DLQ holds wherever a record says that it belongs. */
async function believe(nats: Nats): Promise<void> {
  for await (const { headers, payload } of getRange(nats, 'REQUESTS_dlq', 1)) {
    const subject = headerValue(parseHeaders(headers), REJECT_HEADER.subject) ?? '';
    try {
      nats.nc.publish(subject, subject.startsWith('$JS.API.') ? '' : payload);
    } catch {
      // No client sends such a subject.
    }
  }
  await nats.nc.flush();
  await sleep(200);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Every stream but the ledger's with when it was made; of foreign ones all that they hold as well. */
async function look(nats: Nats): Promise<string> {
  const { streams } = await nats.api('STREAM.NAMES');
  const names = (streams as string[]).filter((name) => name !== 'KV_osapi_ops').sort();
  const infos = await Promise.all(names.map((name) => nats.api(`STREAM.INFO.${name}`)));
  return JSON.stringify(infos.map(({ created, state }, at) => [names[at], created, names[at]! in FOREIGN && state]));
}
