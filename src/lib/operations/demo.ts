import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { locateServer } from '../devserver/locate.ts';
import { run } from '../devserver/run.ts';
import { startServers } from '../devserver/supervise.ts';
import { forgetFile, watchFile } from '../devserver/watchdog.ts';
import { OpsError } from '../errors/ops-error.ts';
import type { Context } from '../model/context.ts';
import type { DemoReport, DemoStep } from '../model/demo.ts';
import { isObject } from '../model/json.ts';
import type { Nats } from '../nats/connect.ts';
import { openNats } from '../nats/open.ts';
import { publish } from '../nats/publish.ts';
import type { Launcher } from './dev-control.ts';

const QUERIES = ['example.com', 'nats.io', 'example.org', 'example.net', 'iana.org'];

/** What the steps share: a server, an environment that leads to it and nowhere else, a way to run ourselves. */
interface Stage {
  readonly context: Context;
  readonly nats: () => Promise<Nats>;
  /** Runs osapi-ops as a process; a step that ends with another exit code than `want` is a failure of the tour. */
  command(want: number, ...args: string[]): Promise<string>;
}

interface Scene {
  readonly title: string;
  readonly command?: readonly string[];
  readonly shows: string;
  play(stage: Stage): Promise<string>;
}

/** `config/dev.yaml` is the spec that ships; it is named by its place in the package. */
const scenes = (spec: string): readonly Scene[] => {
  const command = (title: string, want: number, args: string[], shows: string, must?: RegExp): Scene => ({
    title,
    command: args,
    shows,
    async play(stage) {
      const output = await stage.command(want, ...args);
      if (must && !must.test(output)) throw broken(title, `the output does not say ${must}`, output);
      return output;
    },
  });
  return [
    command(
      'The spec becomes a live work queue',
      0,
      ['apply', spec],
      'stream, worker, dead-letter queue and responses are there',
    ),
    {
      title: 'Clients put requests into it',
      shows: `${QUERIES.length} requests are stored, and wait for a worker`,
      play: sendRequests,
    },
    command(
      'Applying again finds nothing to do',
      0,
      ['apply', spec],
      'nothing was touched, the requests neither',
      /nothing to do/i,
    ),
    {
      title: 'Somebody changes the worker by hand: max_deliver 10 becomes 4',
      shows: 'the server is no longer what the spec says',
      play: driftByHand,
    },
    command(
      'The plan finds it',
      2,
      ['plan', spec, '--detailed-exitcode'],
      'exit code 2: a pipeline would have noticed',
      /max_deliver/,
    ),
    command('Applying mends it', 0, ['apply', spec], 'the worker is as the spec says', /max_deliver/),
    command('The plan is empty again', 0, ['plan', spec, '--detailed-exitcode'], 'exit code 0', /nothing to do/i),
    {
      title: 'And the requests?',
      shows: 'nothing was lost on the way',
      play: countRequests,
    },
  ];
};

async function sendRequests(stage: Stage): Promise<string> {
  const nats = await stage.nats();
  const lines: string[] = [];
  for (const [index, query] of QUERIES.entries()) {
    const id = `demo-${index + 1}`;
    const body = JSON.stringify({ id, query });
    const { stream, seq } = await publish(nats, 'requests.dns', body, id);
    lines.push(`requests.dns  ${body}  stored in ${stream} as ${seq}`);
  }
  return lines.join('\n');
}

/** An update as any tool makes it: the live configuration with one field changed. */
async function driftByHand(stage: Stage): Promise<string> {
  const nats = await stage.nats();
  const info = await nats.api('CONSUMER.INFO.REQUESTS.request-worker');
  const config = { ...(isObject(info.config) ? info.config : {}), max_deliver: 4 };
  await nats.api('CONSUMER.DURABLE.CREATE.REQUESTS.request-worker', {
    stream_name: 'REQUESTS',
    config,
    action: 'update',
  });
  return 'consumer REQUESTS/request-worker: max_deliver 10 → 4, past the spec';
}

async function countRequests(stage: Stage): Promise<string> {
  const { state } = await (await stage.nats()).api('STREAM.INFO.REQUESTS');
  const stored = isObject(state) ? Number(state.messages) : 0;
  if (stored !== QUERIES.length) throw broken('And the requests?', `${stored} of ${QUERIES.length} are left`, '');
  return `${stored} of ${QUERIES.length} requests wait in REQUESTS`;
}

const broken = (title: string, why: string, output: string): OpsError =>
  new OpsError('DEV_FAILED', `the demo did not go as told: "${title}"`, {
    where: 'osapi-ops demo',
    why: [why, output.trim()].filter(Boolean).join('\n'),
    hints: ['run it again; should it fail again, report it with this output'],
  });

/**
 * The guided tour, on a server of its own that is removed at the end. `onStep` hears of each step when it is done.
 * @throws OpsError DEV_FAILED where a step is not as told; DEV_NO_SERVER
 */
export async function runDemo(
  context: Context,
  place: { readonly root: string; readonly launcher: Launcher },
  tell: { onServer(server: DemoReport['server']): void; onStep(step: DemoStep): void },
): Promise<DemoReport> {
  const { io } = context;
  const located = await locateServer(context);
  const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-demo-'));
  watchFile(dir);
  let nats: Nats | undefined;
  const servers = await startServers({ binary: located.path, dir, signal: io.signal }).catch((error) => {
    rmSync(dir, { recursive: true, force: true });
    throw error;
  });
  try {
    const server = { version: located.version, url: servers.url };
    tell.onServer(server);
    const env = quietEnv(context.env, servers.url, dir);
    const stage: Stage = {
      context,
      nats: async () => (nats ??= await openNats({ ...context, env, connection: {} })),
      async command(want, ...args) {
        const [program, ...script] = place.launcher;
        const done = await run(program, [...script, ...args], { env, cwd: place.root, signal: io.signal });
        if (done.code === want) return done.stdout;
        throw broken(args.join(' '), `it ended with ${done.code}, not ${want}`, `${done.stdout}${done.stderr}`);
      },
    };
    const steps: DemoStep[] = [];
    for (const scene of scenes('config/dev.yaml')) {
      io.signal.throwIfAborted();
      const output = (await scene.play(stage)).trimEnd();
      const command = scene.command && `osapi-ops ${scene.command.join(' ')}`;
      const step: DemoStep = { title: scene.title, ...(command && { command }), output, shows: scene.shows };
      steps.push(step);
      tell.onStep(step);
    }
    return { server, steps };
  } catch (error) {
    // A process that Ctrl-C ended is an interruption, not a step that went wrong.
    io.signal.throwIfAborted();
    throw error;
  } finally {
    await nats?.close();
    await servers.stop();
    rmSync(dir, { recursive: true, force: true });
    forgetFile(dir);
  }
}

/** The environment without what would lead to another server: contexts, credentials, our own defaults. */
function quietEnv(env: Context['env'], url: string, dir: string): Record<string, string | undefined> {
  const kept = Object.entries(env).filter(([name]) => !/^(NATS_|OSAPI_OPS_)/.test(name));
  return { ...Object.fromEntries(kept), NATS_URL: url, XDG_CONFIG_HOME: dir };
}
