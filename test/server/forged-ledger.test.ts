// Whoever may write to the ledger can write anything there: it touches nothing but the queue that it is of, and keeps nobody
// from replaying that.
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { headers } from '@nats-io/transport-node';
import type { OpsError } from '../../src/lib/errors/ops-error.ts';
import { journalSubject } from '../../src/lib/facts/names.ts';
import type { StoredMessage } from '../../src/lib/model/message.ts';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { getRange } from '../../src/lib/nats/messages.ts';
import { replayDeadLetters } from '../../src/lib/operations/dlq/replay.ts';
import { connectTo } from '../support/connected.ts';
import { contextFor } from '../support/context.ts';
import { makeDead, makeQueue, put, wipe } from '../support/dead-letters.ts';
import { startServer, type TestServer } from '../support/server.ts';

let server: TestServer;
let nats: Nats;
beforeAll(async () => {
  server = await startServer();
  nats = await connectTo(server);
});
afterAll(async () => {
  await nats?.close();
  await server?.stop();
});
afterEach(() => wipe(nats));

const replay = () =>
  replayDeadLetters(contextFor(server), {
    filter: {},
    wishes: { maxInFlight: 64, maxReplays: 3, wait: false, waitMs: 1000 },
    dryRun: false,
    edit: false,
    lockWaitMs: 0,
    keepEntries: true,
  });
const all = async (stream: string): Promise<StoredMessage[]> => {
  const found: StoredMessage[] = [];
  for await (const message of getRange(nats, stream, 1)) found.push(message);
  return found;
};

/** A queue that others' messages stand beside, with one dead letter, and a ledger. */
async function setUp() {
  await makeQueue(nats, { config: { allow_rollup_hdrs: true } });
  const other = { name: 'OTHER', subjects: ['other.*'], storage: 'memory', allow_direct: true };
  await nats.api('STREAM.CREATE.OTHER', other);
  await put(nats, 'other.a', 'theirs');
  await replay();
  await makeDead(nats, 1);
  await put(nats, 'requests.live', '{"id":"live"}');
  const createdOf = async (name: string) => String((await nats.api(`STREAM.INFO.${name}`)).created);
  const [theirs] = await all('OTHER');
  return {
    theirs: { stream: 'OTHER', created: await createdOf('OTHER'), seq: theirs!.seq, time: theirs!.time },
    gone: { stream: 'REQUESTS', created: await createdOf('REQUESTS'), seq: 99, time: '2026-01-01T00:00:00Z' },
    target: { stream: 'REQUESTS', created: await createdOf('REQUESTS'), after: 0 },
  };
}
type Stage = Awaited<ReturnType<typeof setUp>>;

const write = async (subject: string, value: Uint8Array | string, extra: Record<string, string> = {}) => {
  const hdrs = headers();
  for (const [name, text] of Object.entries(extra)) hdrs.set(name, text);
  expect((await nats.request(subject, value, { headers: hdrs })).json()).toHaveProperty('seq');
};
const writeIntent = ({ theirs, target }: Stage, more: object) => {
  const created = { OTHER: theirs.created, REQUESTS: target.created };
  return write('$KV.osapi_ops.intent.REQUESTS', JSON.stringify({ moves: [], target, created, ...more }));
};
const writeJournal = ({ gone, target }: Stage, more: object, block = '') => {
  const told = {
    id: 'REQUESTS/w/99',
    msgId: 'm',
    subject: 'requests.dns',
    kind: 'stored',
    original: gone,
    records: [],
  };
  const facts = Buffer.from(JSON.stringify({ ...told, target, ...more }));
  const body = Buffer.concat([facts, Buffer.from(block), Buffer.from('{"id":"journalled"}')]);
  const subject = journalSubject('REQUESTS', 99, gone.time);
  return write(subject, body, { 'Osapi-Journal': `${facts.byteLength} ${block.length}` });
};

const table: readonly { name: string; forge(stage: Stage): Promise<void> }[] = [
  { name: 'a journalled message of another stream', forge: (s) => writeJournal(s, { original: s.theirs }) },
  {
    name: 'a journalled message with records of another stream',
    forge: (s) => writeJournal(s, { records: [s.theirs] }),
  },
  {
    name: 'a journalled copy that removes the others',
    forge: (s) => writeJournal(s, {}, 'NATS/1.0\r\nNats-Msg-Id: m\r\nNats-Rollup: all\r\n\r\n'),
  },
  {
    name: 'a journalled copy that has expected what is not so',
    forge: (s) => writeJournal(s, {}, 'NATS/1.0\r\nNats-Msg-Id: m\r\nNats-Expected-Last-Sequence: 7\r\n\r\n'),
  },
  {
    name: 'an intent whose original is of another stream',
    forge: (s) => writeIntent(s, { moves: [{ msgId: 'm', original: s.theirs, records: [] }] }),
  },
  {
    name: 'an intent whose records are of another stream',
    forge: (s) => writeIntent(s, { moves: [{ msgId: 'm', original: s.gone, records: [s.theirs] }] }),
  },
  {
    name: 'an intent for what is no stream',
    forge: (s) => writeIntent(s, { target: { stream: '$JS.API.STREAM.DELETE.OTHER', created: 'x', after: -5 } }),
  },
  {
    name: 'an intent with messages of what is no stream',
    forge: (s) => {
      const original = { stream: 'a.b c', seq: 1, time: 'x' };
      return writeIntent(s, { moves: [{ msgId: 'm', original, records: [original] }] });
    },
  },
  {
    name: 'an intent of nothing',
    forge: () => write('$KV.osapi_ops.intent.REQUESTS', '{"moves":[{}],"after":{"":1}}'),
  },
];

test.each(table)('$name', async ({ forge }) => {
  const stage = await setUp();
  await forge(stage);
  expect(await replay()).toMatchObject({ replayed: 1, failed: 0, remaining: 0 });
  expect((await all('OTHER')).map(({ payload }) => Buffer.from(payload).toString())).toEqual(['theirs']);
  const ids = (await all('REQUESTS')).map(({ payload }) => JSON.parse(Buffer.from(payload).toString()).id);
  expect(ids).toContain('live');
  expect(new Set(ids).size).toBe(ids.length);
  expect(await all('REQUESTS_dlq')).toEqual([]);
});

test('one that goes nowhere is left with its reason, and the others go', async () => {
  const stage = await setUp();
  await writeJournal(stage, { subject: '$JS.API.STREAM.DELETE.OTHER' });
  const fault = (await replay().catch((error: unknown) => error)) as OpsError;
  expect(fault).toMatchObject({ code: 'DLQ_UNFINISHED', result: { replayed: 1, remaining: 1 } });
  expect(fault.why).toMatch(/^1 × .*\$JS\.API\.STREAM\.DELETE\.OTHER.*; the message is safe in the journal\.$/);
  expect(await all('OTHER')).toHaveLength(1);
});
