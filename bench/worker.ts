import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Nats } from '../src/lib/nats/connect.ts';
import { cleanEnv } from '../test/support/cli.ts';
import { connectTo } from '../test/support/connected.ts';
import { findNatsCli } from '../test/support/nats-cli.ts';
import { startServer, type TestServer } from '../test/support/server.ts';
import { until } from '../test/support/until.ts';
import { makeSystem, sendRequests, stateOf } from '../test/support/worker.ts';
import { interleave, type Row, timeProcess } from './measure.ts';

const REQUESTS = 20_000;
const CONCURRENCY = 64;
/** The bash loop starts two processes for each. */
const BY_BASH = 40;

let made = 0;
async function fill(nats: Nats, count: number): Promise<void> {
  await makeSystem(nats);
  await sendRequests(
    nats,
    Array.from({ length: count }, () => `bench-${made++}`),
  );
  await until(async () => (await stateOf(nats, 'REQUESTS')).messages === count, 'all are stored');
}

/** The loop of the original, with its words for people left out; jq takes the id and the query out. */
const LOOP = `while true; do
  MESSAGE=$("$NATS" consumer next REQUESTS request-worker --raw 2>/dev/null || echo ERROR)
  if [[ "$MESSAGE" == ERROR ]]; then continue; fi
  if command -v jq >/dev/null; then
    REQUEST_ID=$(echo "$MESSAGE" | jq -r .id)
    QUERY=$(echo "$MESSAGE" | jq -r .query)
  else
    REQUEST_ID=$(echo "$MESSAGE" | sed 's/.*"id":"\\([^"]*\\)".*/\\1/')
    QUERY=$(echo "$MESSAGE" | sed 's/.*"query":"\\([^"]*\\)".*/\\1/')
  fi
  "$NATS" kv put responses "$REQUEST_ID" "{\\"id\\": \\"$REQUEST_ID\\", \\"query\\": \\"$QUERY\\", \\"response\\": \\"Success\\"}" >/dev/null
done`;

/** Seconds that the original's loop takes for all that is queued. */
async function timeBash(server: TestServer, nats: Nats, path: string): Promise<number> {
  const started = performance.now();
  const env = { ...cleanEnv({ server }), NATS: path };
  const bash = spawn('bash', ['-c', LOOP], { env, stdio: 'ignore', detached: true });
  try {
    await until(async () => (await stateOf(nats, 'KV_responses')).messages === BY_BASH, 'bash answered all', 120_000);
    return (performance.now() - started) / 1000;
  } finally {
    const gone = once(bash, 'exit');
    process.kill(-bash.pid!, 'SIGKILL');
    await gone;
  }
}

const rate = (count: number, seconds: number): string => `${Math.round(count / seconds)}/s`;

/** `worker run --builtin echo` as a whole process, against a bare client and against the loop in bash. */
export async function benchWorker(): Promise<Row[]> {
  const server = await startServer();
  const nats = await connectTo(server);
  try {
    const node = process.execPath;
    const times = await interleave(5, {
      ours: async () => {
        await fill(nats, REQUESTS);
        const args = [
          'bin/run.js',
          'worker',
          'run',
          '--builtin=echo',
          `--max=${REQUESTS}`,
          `--concurrency=${CONCURRENCY}`,
        ];
        return (await timeProcess({ command: node, args: [...args, '--server', server.url, '--quiet'] })).seconds;
      },
      bare: async () => {
        await fill(nats, REQUESTS);
        const args = ['bench/bare-worker.mjs', server.url, `${REQUESTS}`, `${CONCURRENCY}`];
        return (await timeProcess({ command: node, args })).seconds;
      },
    });
    const what = `\`worker run --builtin echo\`, ${REQUESTS} requests, ${CONCURRENCY} at once, start to exit`;
    const ours = rate(REQUESTS, times.ours);
    const bare = `bare client ${rate(REQUESTS, times.bare)}`;
    const rows: Row[] = [{ what, ours, theirs: bare, ratio: times.ours / times.bare, limit: 1.43 }];
    const cli = findNatsCli();
    if (cli) {
      await fill(nats, BY_BASH);
      const bash = await timeBash(server, nats, cli.path);
      rows.push({
        what: '200 requests of those, against one of the original’s bash loop',
        ours,
        theirs: `${(BY_BASH / bash).toFixed(1)}/s`,
        ratio: ((times.ours / REQUESTS) * 200) / (bash / BY_BASH),
        limit: 1,
      });
    }
    return rows;
  } finally {
    await nats.close();
    await server.stop();
  }
}
