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

const MANY = [500, 1000, 2000, 5000];

/** `apply` of many new queues: what each costs must not grow with their number. */
export async function benchApplyMany(): Promise<Row[]> {
  const each: number[] = [];
  for (const queues of MANY) {
    const server = await startServer();
    try {
      const spec = join(server.dir, 'many.yaml');
      writeFileSync(spec, manyQueues(queues));
      const args = ['bin/run.js', 'apply', spec, '--server', server.url, '--quiet'];
      each.push((await timeProcess({ command: process.execPath, args })).seconds / queues);
    } finally {
      await server.stop();
    }
  }
  return [
    {
      what: `\`apply\` of ${MANY.join(', ')} new queues, for each of them`,
      ours: each.map((seconds) => `${(seconds * 1000).toFixed(1)} ms`).join(', '),
      theirs: 'the last against the first',
      ratio: each.at(-1)! / each[0]!,
      limit: 1.3,
    },
  ];
}
