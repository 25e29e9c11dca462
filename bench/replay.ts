import { createInbox, headers } from '@nats-io/transport-node';
import type { Nats } from '../src/lib/nats/connect.ts';
import { connectTo } from '../test/support/connected.ts';
import { findNatsCli } from '../test/support/nats-cli.ts';
import { startServer } from '../test/support/server.ts';
import { until } from '../test/support/until.ts';
import { makeSystem, stateOf } from '../test/support/worker.ts';
import { startDelay } from './delay.ts';
import { interleave, type Row, timeProcess } from './measure.ts';

/** So many that starting is a small part of it; BENCH_REPLAY makes it quicker. */
const DEAD = Number(process.env.BENCH_REPLAY ?? 20_000);
const ROUNDS = 5;
/** Of those, where the server is so many milliseconds away. */
const FAR_DEAD = Number(process.env.BENCH_REPLAY ?? 10_000);
const FAR_MS = 50;
const IN_FLIGHT = 256;
/** The bash loop starts five processes of the nats CLI for each. */
const BY_BASH = 40;

/** A fresh system in which `count` requests were delivered once, never acked, and died: the server wrote the advisories. */
async function makeDead(nats: Nats, count: number): Promise<void> {
  await makeSystem(nats, { consumer: { max_deliver: 1, backoff: [200e6], max_ack_pending: -1 } });
  for (let index = 1; index <= count; index++) {
    const hdrs = headers();
    hdrs.set('Nats-Msg-Id', `request-${index}`);
    const body = { id: `request-${index}`, query: 'example.com', note: 'x'.repeat(200) };
    nats.nc.publish('requests.dns', JSON.stringify(body), { headers: hdrs });
    if (index % 5000 === 0) await nats.nc.flush();
  }
  await until(async () => (await stateOf(nats, 'REQUESTS')).messages === count, 'all are stored', 60_000);
  const inbox = createInbox();
  const subscription = nats.nc.subscribe(inbox, { callback: () => {} });
  const pull = JSON.stringify({ batch: count, expires: 60e9 });
  nats.nc.publish('$JS.API.CONSUMER.MSG.NEXT.REQUESTS.request-worker', pull, { reply: inbox });
  await until(async () => (await stateOf(nats, 'requests_dlq')).messages === count, 'all have died', 60_000);
  subscription.unsubscribe();
}

/** What every contestant must have done, or its time says nothing. */
async function checkReplayed(nats: Nats, count: number): Promise<void> {
  const [queue, dlq] = await Promise.all([stateOf(nats, 'REQUESTS'), stateOf(nats, 'requests_dlq')]);
  if (queue.messages !== count || queue.last_seq !== 2 * count || dlq.messages !== 0) {
    throw new Error(`not replayed: ${JSON.stringify({ count, queue, dlq })}`);
  }
}

/** By hand, in the words of the nats CLI: the advisory, its request, the publish, and both removed. */
const LOOP = `set -euo pipefail
nats() { command "$NATS" --no-context --server "$SERVER" "$@"; }
for ((SEQ = 1; SEQ <= $COUNT; SEQ++)); do
  ADVISORY=$(nats stream get requests_dlq "$SEQ" --json | jq -r '.data | @base64d')
  ORIGINAL=$(jq -r .stream_seq <<<"$ADVISORY")
  REQUEST=$(nats stream get REQUESTS "$ORIGINAL" --json)
  PAYLOAD=$(jq -r '.data | @base64d' <<<"$REQUEST")
  nats pub --jetstream --quiet --no-templates -H "Nats-Msg-Id:replay-$ORIGINAL" "$(jq -r .subject <<<"$REQUEST")" "$PAYLOAD" >/dev/null
  nats stream rmm REQUESTS "$ORIGINAL" --force >/dev/null
  nats stream rmm requests_dlq "$SEQ" --force >/dev/null
done`;

const rate = (count: number, seconds: number): string => `${Math.round(count / seconds)}/s`;

/** `dlq replay` as a whole process, start to exit, against a bare client and against a loop in bash. */
export async function benchReplay(): Promise<Row[]> {
  const server = await startServer();
  const nats = await connectTo(server);
  try {
    const cli = findNatsCli();
    const timed = async (command: string, args: readonly string[], count = DEAD): Promise<number> => {
      await makeDead(nats, count);
      const env = { NATS: cli?.path ?? '', SERVER: server.url, COUNT: `${count}` };
      const { seconds } = await timeProcess({ command, args, env });
      await checkReplayed(nats, count);
      return seconds;
    };
    const node = process.execPath;
    const times = await interleave(ROUNDS, {
      ours: () => timed(node, ['bin/run.js', 'dlq', 'replay', '--server', server.url, '--quiet']),
      bare: () => timed(node, ['bench/bare-replay.mjs', server.url, `${IN_FLIGHT}`]),
    });
    const what = `\`dlq replay\` of ${DEAD} dead letters, start to exit`;
    const ours = rate(DEAD, times.ours);
    const bare = `bare client, ${IN_FLIGHT} under way ${rate(DEAD, times.bare)}`;
    const rows: Row[] = [{ what, ours, theirs: bare, ratio: times.ours / times.bare, limit: 1 }];
    const delay = await startDelay(server.port, FAR_MS);
    const far = await interleave(3, {
      ours: () => timed(node, ['bin/run.js', 'dlq', 'replay', '--server', delay.url, '--quiet'], FAR_DEAD),
      bare: () => timed(node, ['bench/bare-replay.mjs', delay.url, `${IN_FLIGHT}`], FAR_DEAD),
    });
    delay.stop();
    rows.push({
      what: `the same of ${FAR_DEAD}, ${FAR_MS} ms away`,
      ours: rate(FAR_DEAD, far.ours),
      theirs: `bare client, ${IN_FLIGHT} under way ${rate(FAR_DEAD, far.bare)}`,
      ratio: far.ours / far.bare,
      limit: 0.77,
    });
    if (cli) {
      const bash = await timed('bash', ['-c', LOOP], BY_BASH);
      rows.push({
        what: `200 dead letters of those, against one of a loop in bash with the nats CLI (${BY_BASH} measured)`,
        ours,
        theirs: `${(BY_BASH / bash).toFixed(1)}/s`,
        ratio: ((times.ours / DEAD) * 200) / (bash / BY_BASH),
        limit: 1,
      });
    }
    return rows;
  } finally {
    await nats.close();
    await server.stop();
  }
}
