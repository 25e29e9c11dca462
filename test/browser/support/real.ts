// A system that is really there: server, spec, worker, console, each a process, and a browser that looks at it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Nats } from '../../../src/lib/nats/connect.ts';
import { type CliProcess, startCli } from '../../support/cli.ts';
import { connectTo } from '../../support/connected.ts';
import { startServer, type TestServer } from '../../support/server.ts';
import type { WarmCli } from '../../support/warm-cli.ts';

/** At least as long as the console wants it. */
const TOKEN = 'a-token-of-the-tests-and-of-nobody-else-0123456789';

const SPEC = `version: 1
name: osapi
queues:
  REQUESTS:
    subjects: ["requests.*"]
    max_msgs: 10000
    duplicate_window: 2s
    consumers:
      request-worker:
        ack_policy: explicit
        filter_subject: "requests.*"
        max_deliver: 2
        backoff: [100ms]
    dlq: { stream: requests_dlq, capture: [max_deliveries, terminated] }
    responses: { bucket: responses }
`;

/** Fails as its request says, until a file says that this is mended. */
const HANDLER = `import { existsSync } from 'node:fs';
export default ({ query, fails }, { reject }) => {
  if (fails === undefined || existsSync('mended')) return { answer: query };
  if (fails === 'poison') reject('bad payload: no query');
  throw new Error(fails);
};
`;

export interface Real {
  readonly server: TestServer;
  readonly nats: Nats;
  readonly dir: string;
  readonly url: string;
  /** A line of the CLI against it, to its end. */
  cli(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }>;
  worker(...args: string[]): Promise<CliProcess>;
  /** What its worker fails for is no fault from now on. */
  mend(): void;
  /** One more console, as another person starts it. */
  console(...args: string[]): Promise<string>;
  /** Requests by what they fail for, and waits until they are dead. */
  die(causes: Readonly<Record<string, number>>): Promise<void>;
  close(): Promise<void>;
}

/** Beside the one who may all, users of these roles may look on, and those who may all but publish there; with the same password. */
export async function startReal(
  runCli: WarmCli,
  { roles = [], denied = {} }: { roles?: readonly string[]; denied?: Readonly<Record<string, readonly string[]>> } = {},
): Promise<Real> {
  const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-console-'));
  writeFileSync(join(dir, 'osapi-ops.yaml'), SPEC);
  writeFileSync(join(dir, 'handler.mjs'), HANDLER);
  const fragments = await Promise.all(
    roles.map((role) => runCli(['permissions', 'osapi-ops.yaml', role], { cwd: dir })),
  );
  const users = [
    ...fragments.map(({ stdout }) => /users = \[\n([\s\S]*)\n {2}\]/.exec(stdout)![1]),
    ...Object.entries(denied).map(
      ([user, deny]) => `{ user: ${user}, password: pw, permissions: { publish: { deny: ${JSON.stringify(deny)} } } }`,
    ),
  ];
  const own = { user: 'ana', password: 'pw' };
  const config = `authorization { users = [\n{ user: ana, password: pw }\n${users.join('\n')}\n] }`;
  const server = await startServer(
    roles.length > 0 ? { config: config.replaceAll(/\$OSAPI_\w+_PASSWORD/g, 'pw') } : {},
  );
  const env = { OSAPI_OPS_CONSOLE_TOKEN: TOKEN, ...(roles.length > 0 && { NATS_USER: 'ana', NATS_PASSWORD: 'pw' }) };
  const options = { server, cwd: dir, env };
  const nats = await connectTo(server, roles.length > 0 ? own : {});
  const started: CliProcess[] = [];
  const cli: Real['cli'] = (...args) => runCli(args, options);
  const begin = async (pattern: RegExp, stream: 'stdout' | 'stderr', ...args: string[]) => {
    const process = startCli(args, options);
    started.push(process);
    return { process, match: await process.until(stream, pattern, 60_000) };
  };
  const openConsole = async (...args: string[]): Promise<string> => {
    const { match } = await begin(/http:\S+/, 'stdout', 'console', ...args);
    return `${new URL(match[0]).origin}/#token=${TOKEN}`;
  };
  const applied = await cli('apply', '--yes');
  if (applied.code !== 0) throw new Error(applied.stderr);
  return {
    server,
    nats,
    dir,
    url: await openConsole(),
    cli,
    worker: async (...args) =>
      (await begin(/work/i, 'stderr', 'worker', 'run', '--handler', 'handler.mjs', '--concurrency', '16', ...args))
        .process,
    mend: () => writeFileSync(join(dir, 'mended'), ''),
    console: openConsole,
    async die(causes) {
      let index = 0;
      for (const [fails, count] of Object.entries(causes)) {
        for (let n = 0; n < count; n += 1) {
          index += 1;
          nats.nc.publish(
            'requests.dns',
            JSON.stringify({ id: `${fails.replace(/\W/g, '')}-${index}`, query: 'example.com', fails }),
          );
        }
      }
      await nats.nc.flush();
      const total = Object.values(causes).reduce((sum, count) => sum + count, 0);
      for (let tries = 0; tries < 200; tries += 1) {
        const { stdout } = await cli('dlq', 'stats', '--json');
        if ((JSON.parse(stdout) as { total?: number }).total! >= total) return;
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      throw new Error(`${total} did not die`);
    },
    async close() {
      for (const process of started) process.child.kill('SIGTERM');
      await Promise.all(started.map(({ done }) => done));
      await nats.close();
      await server.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
