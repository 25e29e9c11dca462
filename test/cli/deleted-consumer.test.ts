import { expect, test } from '@jest/globals';
import { connectTo } from '../support/connected.ts';
import { letDie, makeQueue, pull, put } from '../support/dead-letters.ts';
import { startServer } from '../support/server.ts';
import { warmCli } from '../support/warm-cli.ts';

const runCli = warmCli();

const specOf = (retention: string) => `version: 1
name: w
queues:
  W:
    subjects: ["w.*"]
    retention: ${retention}
    consumers: { k: { max_deliver: 1, ack_wait: 300ms } }
    dlq: { stream: W_dlq }
`;

const FILE = { storage: 'file', discard: 'old' };

test('nor does a plan keep silent of what died at a consumer that was never applied', async () => {
  const server = await startServer();
  const nats = await connectTo(server);
  try {
    await makeQueue(nats, { stream: 'W', subjects: ['w.*'], consumer: 'k', config: FILE, dlqConfig: FILE });
    for (const id of ['w.1', 'w.2']) await put(nats, id, id);
    await letDie(nats, 'W', 'k');
    await put(nats, 'w.3', 'waits');
    await nats.api('CONSUMER.DELETE.W.k');
    const run = (args: string[]) => runCli(args, { server, stdin: specOf('workqueue') });
    const told =
      'delivers up to 3 stored messages from the first on, with their delivery count at 1: up to 2 of them dead by the records in W_dlq';
    for (const args of [
      ['plan', '-'],
      ['apply', '-', '--yes', '--adopt'],
    ]) {
      const { stdout, stderr } = await run(args);
      expect((stdout + stderr).replace(/\s+/g, ' ')).toContain(told);
    }
  } finally {
    await nats.close();
    await server.stop();
  }
});

test.each(['workqueue', 'limits'])(
  'what died at a deleted consumer of a %s stream is told before it comes alive',
  async (retention) => {
    const server = await startServer();
    const nats = await connectTo(server);
    try {
      const spec = specOf(retention);
      const run = (args: string[]) => runCli(args, { server, stdin: spec });
      const first = await run(['apply', '-', '--yes']);
      expect(first).toMatchObject({ code: 0 });
      expect(first.stderr + first.stdout).not.toContain('delivers up to');
      await put(nats, 'w.1', 'one');
      await put(nats, 'w.2', 'two');
      await letDie(nats, 'W', 'k');
      await nats.api('CONSUMER.DELETE.W.k');

      if (retention === 'limits') expect((await run(['dlq', 'ls', '--wide'])).stdout).toContain('its consumer is gone');
      const status = (await run(['status', '-'])).stdout;
      expect(status).toContain('osapi-ops plan');
      expect(status).not.toContain('osapi-ops apply');
      const plan = await run(['plan', '-']);
      expect(plan.stdout + plan.stderr).toContain('delivers up to 2 stored messages from the first on, dead');
      const applied = await run(['apply', '-', '--yes']);
      expect(applied).toMatchObject({ code: 0 });
      expect(applied.stdout + applied.stderr).toContain('delivers up to 2 stored messages');
      expect(await pull(nats, 'W', 'k', 2)).toHaveLength(2);
    } finally {
      await nats.close();
      await server.stop();
    }
  },
);
