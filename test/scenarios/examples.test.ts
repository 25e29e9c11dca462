import { describe, expect, jest, test } from '@jest/globals';
import { type CommandSurface, readSurface } from '../../scripts/generate/surface.ts';
import { openStage, REQUEST_ID, type Stage } from '../support/example-stage.ts';
import { findNatsCli } from '../support/nats-cli.ts';
import { warmCli } from '../support/warm-cli.ts';
import { warmProgram } from '../support/warm-program.ts';

jest.setTimeout(600_000);

interface Setting {
  /** What is there before the command's first example; the system of config/prod.yaml where left out. */
  readonly before?: (stage: Stage) => Promise<unknown>;
  /** True where each example needs a stage of its own. */
  readonly apart?: boolean;
  /** Exit codes other than 0, by a part of the example. */
  readonly codes?: Readonly<Record<string, number>>;
  /** What an example says once it works, where it goes on until it is ended. */
  readonly lasting?: (example: string) => RegExp | undefined;
  /** What it says on stderr once `during` may begin. */
  readonly ready?: RegExp;
  /** While it runs. */
  readonly during?: (stage: Stage) => Promise<unknown>;
}

const nothing = async (): Promise<void> => {};
/** What is there before is no example: it needs no shell and no process of its own. */
const runCli = warmCli();
const prepare = async ({ server, dir: cwd }: Stage, ...args: string[]): Promise<void> => {
  const done = await runCli(args, { server, cwd });
  if (done.code !== 0) throw new Error(`${args.join(' ')} ended with ${done.code}\n${done.stderr}`);
};
const applied = (stage: Stage) => prepare(stage, 'apply', 'config/prod.yaml');
const withDead = async (stage: Stage): Promise<void> => {
  await applied(stage);
  await stage.kill(20);
};
const withRequest = async (stage: Stage): Promise<void> => {
  await applied(stage);
  await prepare(stage, 'request', 'send', 'dns', '{"query":"example.com"}', '--id', REQUEST_ID);
};
const answered = async (stage: Stage): Promise<void> => {
  await withRequest(stage);
  await prepare(stage, 'worker', 'run', '--builtin', 'echo', '--max', '1');
};

const MANIFEST = `apiVersion: jetstream.nats.io/v1beta2
kind: Stream
metadata: { name: requests }
spec: { name: REQUESTS, subjects: ["requests.*"], retention: workqueue, discard: new, maxMsgs: 1000 }
`;

/** What the examples of each command need; the others need the system only. */
const SETTINGS: Readonly<Record<string, Setting>> = {
  apply: {
    apart: true,
    before: (stage) => prepare(stage, 'plan', 'config/prod.yaml', '--out', 'prod.plan'),
  },
  convert: {
    before: async (stage) => {
      await applied(stage);
      stage.write('manifests/requests.yaml', MANIFEST);
      const nats = await stage.nats();
      stage.write('stream.json', JSON.stringify(await nats.api('STREAM.INFO.REQUESTS')));
      const { name, ...config } = ((await nats.api('STREAM.INFO.REQUESTS')) as { config: Record<string, unknown> })
        .config;
      stage.write('config.json', JSON.stringify(config));
      stage.write('consumer.json', JSON.stringify(await nats.api('CONSUMER.INFO.REQUESTS.request-worker')));
    },
  },
  demo: { before: nothing },
  // Nobody is there to be asked: without --yes nothing is removed.
  destroy: { apart: true, codes: { 'destroy config/dev.yaml': 1, '--dry-run': 0, '--yes': 0 } },
  dev: {
    apart: true,
    before: nothing,
    lasting: (example) => (example.includes('--detach') ? undefined : /nats:\/\//),
  },
  'dev status': { before: (stage) => stage.must('osapi-ops dev --detach') },
  'dev stop': { before: (stage) => stage.must('osapi-ops dev --detach') },
  'dlq export': { before: withDead },
  'dlq import': {
    before: async (stage) => {
      await withDead(stage);
      await prepare(stage, 'dlq', 'purge', '--archive', 'old.ndjson', '--yes');
    },
  },
  'dlq ls': { before: withDead },
  'dlq purge': { before: withDead },
  'dlq rebuild': { before: withDead },
  'dlq replay': {
    before: async (stage) => {
      await withDead(stage);
      stage.write('mend.mjs', 'export default (request) => request;\n');
    },
  },
  // Whoever reads the example has another replay than this one.
  'dlq replays show': { codes: { show: 1 } },
  'dlq replays stop': { codes: { stop: 1 } },
  'dlq show': { before: withDead },
  'dlq stats': { before: withDead },
  'dlq watch': {
    before: applied,
    lasting: (example) => (example.includes('--limit') ? undefined : /REQUESTS\/request-worker\/\d/),
    ready: /watching REQUESTS/,
    during: (stage) => stage.kill(1),
  },
  console: { before: applied, lasting: () => /127\.0\.0\.1:\d+/ },
  doctor: {
    before: async (stage) => {
      await applied(stage);
      stage.write('.home/.config/nats/context/prod.json', JSON.stringify({ url: stage.server.url }));
    },
  },
  init: { apart: true },
  permissions: { before: nothing },
  plan: { before: nothing, codes: { '--detailed-exitcode': 2 } },
  'request cancel': { apart: true, before: withRequest, codes: { 'request cancel': 1, '--yes': 0 } },
  'request get': { before: answered },
  'request ls': { before: withRequest },
  'request send': {
    before: async (stage) => {
      await applied(stage);
      stage.write('requests.ndjson', '{"query":"example.com"}\n{"query":"example.org"}\n');
    },
    during: (stage) => stage.must('osapi-ops worker run --builtin echo --idle-exit 2s'),
  },
  'request show': { before: answered },
  schema: { before: nothing },
  validate: {
    before: async (stage) =>
      stage.write('osapi-ops.yaml', 'version: 1\nname: osapi\nqueues:\n  REQUESTS: { maxMsgs: 1000, discard: new }\n'),
  },
  'worker run': {
    before: async (stage) => {
      await applied(stage);
      stage.write('answer.ts', 'export default async ({ query }: { query: string }) => query;\n');
    },
    lasting: (example) => (example.includes('--idle-exit') ? undefined : /works on REQUESTS/),
  },
};

const program = warmProgram(3);
const surface = await readSurface();

async function tryExample(stage: Stage, example: string, { codes, lasting, ready, during }: Setting): Promise<void> {
  const want = Object.entries(codes ?? {}).findLast(([part]) => example.includes(part))?.[1] ?? 0;
  const sign = lasting?.(example);
  const process = stage.start(example);
  if (ready) await process.until('stderr', ready, 60_000);
  if (during) await during(stage);
  if (sign) {
    const said = [process.until('stdout', sign, 60_000), process.until('stderr', sign, 60_000)];
    await Promise.any(said);
    for (const other of said) other.catch(() => {});
    process.child.kill('SIGTERM');
    const { code, stderr } = await process.done;
    expect({ example, isEnded: code === 0 || code === 130, stderr }).toMatchObject({ isEnded: true });
    return;
  }
  const done = await process.done;
  expect({ example, code: done.code, stderr: done.code === want ? '' : done.stderr }).toEqual({
    example,
    code: want,
    stderr: '',
  });
}

/** It begins with another program that this machine lacks, or with somebody's Terraform. */
const needsMore = (example: string): boolean =>
  (example.startsWith('nats ') && findNatsCli() === null) || example.startsWith('terraform ');

async function tryAll({ id, examples }: CommandSurface): Promise<void> {
  const setting = SETTINGS[id] ?? {};
  const mine = examples.filter((example) => !needsMore(example));
  for (const some of setting.apart ? mine.map((each) => [each]) : [mine]) {
    const stage = await openStage(program);
    try {
      await (setting.before ?? applied)(stage);
      for (const example of some) await tryExample(stage, example, setting);
      if (id.startsWith('dev')) await stage.must('osapi-ops dev stop');
    } finally {
      await stage.end();
    }
  }
}

describe('every example of the help runs as it stands', () => {
  for (const command of surface) {
    test.concurrent(command.id, () => tryAll(command));
  }
});
