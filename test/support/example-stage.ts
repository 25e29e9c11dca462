// Stages on which the examples of the help run as they stand: a directory, a server, and what is in both.
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { type CliProcess, type CliResult, ROOT, runCli, startCli } from './cli.ts';
import { connectTo } from './connected.ts';
import { pull, put } from './dead-letters.ts';
import { recordingIo } from './io.ts';
import { withLock } from './lock.ts';
import { findNatsCli } from './nats-cli.ts';
import { startServer, type TestServer } from './server.ts';

/** The id that examples speak of. */
export const REQUEST_ID = '0193a1c2-7f00-7abc-8def-0123456789ab';

export interface Stage {
  readonly dir: string;
  readonly server: TestServer;
  /** Writes a file of the directory. */
  write(name: string, text: string): void;
  /** A command line as a person types it. */
  shell(line: string): Promise<CliResult>;
  /** The same, for one that does not end by itself. */
  start(line: string): CliProcess;
  /** Runs one that must succeed. */
  must(line: string): Promise<CliResult>;
  nats(): Promise<Nats>;
  /** Sends requests and has them die. */
  kill(count: number): Promise<void>;
  /** Does something while another run is at the queue's dead letters. */
  whileReplaying<T>(work: () => Promise<T>): Promise<T>;
  end(): Promise<void>;
}

/**
 * @param program writes the `osapi-ops` that lines type
 * @param config more of the server's configuration; who brings no credentials must be let in
 */
export async function openStage(program: (file: string) => void, config?: string): Promise<Stage> {
  const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-example-'));
  const home = join(dir, '.home');
  const bin = join(home, 'bin');
  mkdirSync(bin, { recursive: true });
  program(join(bin, 'osapi-ops'));
  const cli = findNatsCli();
  // Found on PATH it needs no way of its own.
  if (cli && cli.path !== 'nats')
    writeFileSync(join(bin, 'nats'), `#!/bin/sh\nexec "${cli.path}" "$@"\n`, { mode: 0o755 });
  for (const part of ['config', 'schemas']) cpSync(join(ROOT, part), join(dir, part), { recursive: true });
  const server = await startServer({ config });
  const env = {
    PATH: [bin, process.env.PATH].join(':'),
    HOME: home,
    NATS_TIMEOUT: '30s',
    XDG_CONFIG_HOME: join(home, '.config'),
  };
  const options = (line: string) => ({ server, cwd: dir, env, command: ['bash', '-o', 'pipefail', '-c', line] });
  let connected: Nats | undefined;
  const stage: Stage = {
    dir,
    server,
    write: (name, text) => {
      mkdirSync(join(dir, name, '..'), { recursive: true });
      writeFileSync(join(dir, name), text);
    },
    shell: (line) => runCli([], options(line)),
    start: (line) => startCli([], options(line)),
    async must(line) {
      const done = await stage.shell(line);
      if (done.code !== 0) throw new Error(`${line} ended with ${done.code}\n${done.stdout}${done.stderr}`);
      return done;
    },
    nats: async () => (connected ??= await connectTo(server)),
    kill: async (count) => killRequests(await stage.nats(), count),
    whileReplaying: async (work) => {
      const actor = { who: 'ada', host: 'build-7', pid: 1 };
      const lock = { actor, waitMs: 0, io: recordingIo(), verb: 'dlq replay' };
      return withLock(await stage.nats(), `the dead letters of ${REQUESTS}`, lock, work);
    },
    async end() {
      await connected?.close();
      await server.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
  return stage;
}

const REQUESTS = 'REQUESTS';
const WORKER = 'request-worker';

/** For as long as it takes the worker's consumer gives up after one try; then it is as it was. */
async function killRequests(nats: Nats, count: number): Promise<void> {
  const { config } = await nats.api(`CONSUMER.INFO.${REQUESTS}.${WORKER}`);
  const update = (changes: object) =>
    nats.api(`CONSUMER.DURABLE.CREATE.${REQUESTS}.${WORKER}`, {
      stream_name: REQUESTS,
      config: { ...(config as object), ...changes },
      action: 'update',
    });
  const dead = async () =>
    Number(((await nats.api('STREAM.INFO.requests_dlq')).state as { messages: number }).messages);
  await update({ max_deliver: 1, backoff: undefined, ack_wait: 20e6 });
  const before = await dead();
  for (let n = 0; n < count; n++) {
    const body = JSON.stringify({ id: `dead-${before + n}`, query: 'example.com', error: { code: 'E1' } });
    await put(nats, 'requests.dns', body);
  }
  const deadline = performance.now() + 20_000;
  while ((await dead()) < before + count) {
    if (performance.now() > deadline) throw new Error('the requests do not die');
    await pull(nats, REQUESTS, WORKER, count, 50);
  }
  await update({});
}
