import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findNatsCli } from '../test/support/nats-cli.ts';
import { startServer } from '../test/support/server.ts';
import { interleave, milliseconds, type Row, timeCold, timeProcess } from './measure.ts';
import { manyQueues } from './plan.ts';

const CONSUMER = {
  durable_name: 'request-worker',
  ack_policy: 'explicit',
  deliver_policy: 'all',
  filter_subject: 'requests.*',
  replay_policy: 'instant',
  max_deliver: 10,
  backoff: [5e9, 10e9, 15e9],
};

/** `apply` of the whole system on an empty server, against the five commands of the nats CLI that build the same. */
export async function benchApply(): Promise<Row[]> {
  const nats = findNatsCli();
  if (!nats) return [];
  const applyTo = (url: string) => ({
    command: process.execPath,
    args: ['bin/run.js', 'apply', 'config/prod.yaml', '--server', url],
  });
  const onEmptyServer = (work: (url: string, dir: string) => Promise<number>) => async () => {
    const server = await startServer();
    try {
      return await work(server.url, server.dir);
    } finally {
      await server.stop();
    }
  };
  const result = await interleave(15, {
    ours: onEmptyServer(async (url) => (await timeProcess(applyTo(url))).seconds),
    cold: onEmptyServer(async (url) => (await timeCold(applyTo(url))).seconds),
    theirs: onEmptyServer(async (url, dir) => {
      const file = join(dir, 'consumer.json');
      writeFileSync(file, JSON.stringify(CONSUMER));
      const commands = [
        'stream add REQUESTS --subjects requests.* --storage file --retention work --defaults',
        'stream edit REQUESTS --discard new --force',
        `consumer add REQUESTS request-worker --config ${file}`,
        'stream add requests_dlq --subjects $JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.REQUESTS.* --defaults',
        'kv add responses',
      ];
      let seconds = 0;
      for (const command of commands) {
        seconds += (await timeProcess({ command: nats.path, args: ['--server', url, ...command.split(' ')] })).seconds;
      }
      return seconds;
    }),
  });
  return (['ours', 'cold'] as const).map((which) => ({
    what: `\`apply\` of the system on an empty server${which === 'cold' ? ', the first run on a machine' : ''}`,
    ours: milliseconds(result[which]),
    theirs: `five \`nats\` commands ${milliseconds(result.theirs)}`,
    ratio: result[which] / result.theirs,
    limit: 1,
  }));
}

/** BENCH_MANY=500,1000 makes it quicker. */
const MANY = (process.env.BENCH_MANY ?? '500,1000,2000,5000').split(',').map(Number);

/**
 * `apply` of many new queues, against the bare client making the same. What each takes a server grows with what it has
 * already: ours must not grow beyond that.
 */
export async function benchApplyMany(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const queues of MANY) {
    const timed = async (args: (url: string, dir: string) => string[]): Promise<number> => {
      const server = await startServer();
      try {
        return (await timeProcess({ command: process.execPath, args: args(server.url, server.dir) })).seconds;
      } finally {
        await server.stop();
      }
    };
    const theirs = await timed((url) => ['bench/bare-apply.mjs', url, `${queues}`]);
    const ours = await timed((url, dir) => {
      const spec = join(dir, 'many.yaml');
      writeFileSync(spec, manyQueues(queues));
      return ['bin/run.js', 'apply', spec, '--server', url, '--quiet'];
    });
    rows.push({
      what: `\`apply\` of ${queues} new queues`,
      ours: `${ours.toFixed(1)} s`,
      theirs: `bare client making the same ${theirs.toFixed(1)} s`,
      ratio: ours / theirs,
    });
  }
  const [first, last] = [rows[0]!, rows.at(-1)!];
  return [
    ...rows,
    {
      what: `\`apply\` of many, the ratio of ${MANY.at(-1)} against that of ${MANY[0]}`,
      ours: last.ratio.toFixed(2),
      theirs: first.ratio.toFixed(2),
      ratio: last.ratio / first.ratio,
      limit: 1.3,
    },
  ];
}
