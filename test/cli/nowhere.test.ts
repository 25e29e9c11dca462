import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { makeDead, makeQueue } from '../support/dead-letters.ts';
import { type Lab, useLab } from '../support/lab.ts';
import { warmCli } from '../support/warm-cli.ts';

const runCli = warmCli();
let server: Lab['server'];
let nats: Lab['nats'];
let cwd: string;
useLab((lab) => {
  ({ server, nats, cwd } = lab);
});
beforeAll(async () => {
  await makeQueue(nats);
  await makeDead(nats, 2);
  await makeQueue(nats, { stream: 'GONER', subjects: ['goner.*'], consumer: 'worker' });
  await nats.api('STREAM.DELETE.GONER');
});
const run = (...args: string[]) => runCli(args, { server, cwd });

describe('a queue of which nothing is on the server', () => {
  const specOf = (...names: string[]) => {
    const queues = names.map((name) => `  ${name}:\n    subjects: ["${name}.*"]\n    dlq: {stream: ${name}_dlq}\n`);
    writeFileSync(join(cwd, 'absent.yaml'), `version: 1\nname: absent\nqueues:\n${queues.join('')}`);
    return ['-f', 'absent.yaml'];
  };
  const refused = (name: string) => ({
    code: 1,
    stderr: expect.stringMatching(new RegExp(`there is no queue ${name}\\n.*at nats://.*, account .*chosen by`, 's')),
  });

  test.each([
    ['ls'],
    ['ls', '--ndjson'],
    ['stats'],
    ['replay'],
    ['replay', '--dry-run'],
    ['purge', '--yes'],
    ['rebuild'],
    ['export'],
    ['show', '1'],
  ])('is no queue without dead letters: dlq %s', async (...line) => {
    expect(await run('dlq', ...line, ...specOf('NOWHERE'))).toMatchObject({ ...refused('NOWHERE'), stdout: '' });
  });

  test.each([
    ['request', 'ls'],
    ['request', 'ls', '--failing'],
    ['request', 'cancel', 'x', '--yes'],
    ['queue', 'drain', 'NOWHERE', '--wait', '1s'],
    ['queue', 'pause'],
    ['queue', 'resume', 'NOWHERE'],
  ])('is no queue where nothing waits, or without a consumer: %s %s', async (...line) => {
    expect(await run(...line, ...specOf('NOWHERE'))).toMatchObject({ ...refused('NOWHERE'), stdout: '' });
  });

  test.each([['drain'], ['pause'], ['resume']])('of which only a DLQ is left it is none to %s', async (verb) => {
    expect(await run('queue', verb, 'GONER')).toMatchObject(refused('GONER'));
  });

  test('under --json stdout is the error and nothing else', async () => {
    const { code, stdout } = await run('dlq', 'ls', '--json', ...specOf('NOWHERE'));
    expect({ code, ...JSON.parse(stdout) }).toMatchObject({ code: 1, error: { code: 'NOT_FOUND' } });
  });

  test('beside another it is named, and is refused where somebody asks for it by its name', async () => {
    const line = specOf('NOWHERE', 'REQUESTS');
    for (const verb of [
      ['dlq', 'ls'],
      ['dlq', 'stats'],
      ['dlq', 'replay', '--dry-run'],
      ['request', 'ls'],
    ]) {
      const { code, stderr } = await run(...verb, ...line);
      expect({ code, stderr }).toEqual({
        code: 0,
        stderr: expect.stringMatching(/not on nats:.*: NOWHERE; nothing is/),
      });
      expect(await run(...verb, ...line, '--queue', 'NOWHERE')).toMatchObject(refused('NOWHERE'));
      expect((await run(...verb, ...line, '--queue', 'REQUESTS')).stderr).not.toContain('NOWHERE');
    }
  });

  test('is looked at while its DLQ is there, or a journal holds something of it', async () => {
    expect(await run('dlq', 'ls', ...specOf('GONER'))).toMatchObject({ code: 0 });
    const held = specOf('HELD');
    // As a replay makes it.
    expect(await run('dlq', 'replay', '1')).toMatchObject({ code: 0 });
    await nats.kv('osapi_ops').put('journal.HELD.1', 'x');
    expect(await run('dlq', 'ls', ...held)).toMatchObject({ code: 0 });
  });
});
