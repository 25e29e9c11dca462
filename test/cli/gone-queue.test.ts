import { beforeAll, expect, test } from '@jest/globals';
import { advisory, makeDead, makeQueue, put } from '../support/dead-letters.ts';
import { type Lab, useLab } from '../support/lab.ts';
import { warmCli } from '../support/warm-cli.ts';

// A queue is deleted and its DLQ kept, as people do; what is about other queues goes on.

const runCli = warmCli();
let server: Lab['server'];
let nats: Lab['nats'];
let cwd: string;
useLab((lab) => {
  ({ server, nats, cwd } = lab);
});
beforeAll(async () => {
  await makeQueue(nats);
  await makeDead(nats, 4);
  await makeQueue(nats, { stream: 'GONER', subjects: ['goner.*'], consumer: 'worker' });
  const subject = '$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.GONER.worker';
  await put(nats, subject, advisory({ stream: 'GONER', consumer: 'worker', stream_seq: 7 }));
  await nats.api('STREAM.DELETE.GONER');
});
const run = (...args: string[]) => runCli(args, { server, cwd });

const LEFT = 'left out, as there is no such stream any more: GONER';

test('dead letters of a queue that is there are looked at and moved while the DLQ of one that is gone still stands', async () => {
  const [one, gone] = ['REQUESTS/request-worker/1', 'GONER/worker/7'];
  for (const id of [one, gone]) {
    expect(await run('dlq', 'show', id)).toMatchObject({ code: 0, stdout: expect.stringContaining(id) });
  }
  for (const id of [one, '1']) {
    const { code, stdout, stderr } = await run('dlq', 'replay', '--dry-run', id);
    expect({ code, stdout, stderr }).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Would replay 1 dead/) });
    expect(stderr).not.toContain('GONER');
  }
  expect(await run('dlq', 'replay', one)).toMatchObject({ code: 0, stdout: 'Replayed 1 dead letter.\n' });
  expect(await run('dlq', 'replay', '--limit', '1')).toMatchObject({
    code: 0,
    stdout: 'Replayed 1 dead letter.\n',
    stderr: expect.stringContaining(LEFT),
  });
  // Asked for by name it is said.
  expect(await run('dlq', 'replay', '--queue', 'GONER')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('Code: NOT_FOUND'),
  });
  expect(await run('dlq', 'replay', gone)).toMatchObject({ code: 0, stdout: 'Nothing was replayed.\n' });
  // Taking away needs no stream to put anything into. Which two are left lies with the order they died in.
  const [{ id }] = JSON.parse((await run('dlq', 'ls', '--json', '--queue', 'REQUESTS')).stdout);
  expect(await run('dlq', 'purge', '--yes', '--archive', 'a.ndjson', id)).toMatchObject({ code: 0 });
  expect(await run('dlq', 'purge', '--yes', '--archive', 'b.ndjson', '--queue', 'GONER')).toMatchObject({ code: 0 });
  expect((await nats.api('STREAM.INFO.GONER_dlq')).state).toMatchObject({ messages: 0 });
});
