import { execFileSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { letDie, makeQueue, put, wipe } from '../support/dead-letters.ts';
import { type Lab, useLab } from '../support/lab.ts';
import { warmCli } from '../support/warm-cli.ts';

// Whoever may name a queue must not have what others paste: each line that is printed to be typed goes through a real
// shell, and what comes out has the very name.

const NAMES = ['$(id)`id`;x', 'a&b|c', '--json', 'bidi\u202egnp', `<q"u'otes`, '~'];

const runCli = warmCli();
let server: Lab['server'];
let nats: Lab['nats'];
let cwd: string;
useLab((lab) => {
  ({ server, nats, cwd } = lab);
});

/** Somebody who has another server in the environment names this one. */
const run = (...args: string[]) =>
  runCli([args[0]!, '--server', server.url, ...args.slice(1)], { cwd, env: { NATS_URL: 'nats://127.0.0.1:1' } });

/** What a program would be given, had somebody pasted the line. */
const pasted = (line: string): string[] => {
  const stubs = `osapi-ops() { printf '%s\\0' osapi-ops "$@"; }; nats() { printf '%s\\0' nats "$@"; }; id() { printf 'RAN\\0'; }`;
  const out = execFileSync('bash', ['--norc', '-c', `${stubs}; ${line}`], { cwd, encoding: 'utf8' });
  return out.split('\0').slice(0, -1);
};

const names = (argv: readonly string[], name: string) =>
  argv.some((word) => word === name || word === `--queue=${name}` || word.startsWith(`${name}/`));

const html = (text: string) =>
  text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');

test.each(NAMES)('what is printed to be typed of a queue %j is of that queue and runs nothing', async (stream) => {
  await wipe(nats);
  const consumer = 'worker';
  await makeQueue(nats, {
    stream,
    consumer,
    subjects: ['requests.*'],
    maxDeliver: 1,
    ackWait: 50,
    config: { max_msgs: 2 },
  });
  await Promise.all(['{"id":"a"}', '{"id":"b"}'].map((payload) => put(nats, 'requests.dns', payload)));
  await letDie(nats, stream, consumer);

  const text = (await run('status')).stdout;
  const next = [...text.matchAll(/→ (osapi-ops .*)$/gm)].map(([, line]) => line!);
  const page = html((await run('status', '--output', 'html')).stdout);
  const { groups } = JSON.parse((await runCli(['dlq', 'stats', '--server', server.url, '--json'], { cwd })).stdout) as {
    groups: { replay: string }[];
  };
  const paused = (await runCli(['queue', 'pause', '--server', server.url, '--', `${stream}/${consumer}`], { cwd }))
    .stdout;
  const resume = /`(osapi-ops .*)`/.exec(paused)![1]!;
  const lines = [...next, ...groups.map(({ replay }) => replay)];

  expect(next.some((line) => names(pasted(line), stream))).toBe(true);
  for (const line of next) {
    expect(page).toContain(`<code>${line}</code>`);
  }
  for (const line of lines) {
    const argv = pasted(line);
    expect(argv).not.toContain('RAN');
    expect(argv.slice(argv.indexOf('--server')).slice(0, 2)).toEqual(['--server', server.url]);
  }
  expect(names(pasted(resume), stream)).toBe(true);
  // By ids, as a limit cut some off.
  const few = await runCli(['dlq', 'stats', '--server', server.url, '--limit', '1', '--json'], { cwd });
  const byId = pasted(JSON.parse(few.stdout).groups[0].replay);
  expect(names(byId, stream)).toBe(true);
  expect(await runCli(byId.slice(1).toSpliced(2, 0, '--dry-run'), { cwd })).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^Would replay 1 dead letter/),
  });
  // The lines do what they say, the program reading them as the shell hands them on.
  const told = next.find((line) => line.startsWith('osapi-ops dlq ls'))!;
  const listed = await runCli([...pasted(told).slice(1)], { cwd });
  expect(listed).toMatchObject({ code: 0, stdout: expect.stringContaining(`worker/2`) });
  expect(await runCli(pasted(resume).slice(1), { cwd })).toMatchObject({ code: 0 });
});
