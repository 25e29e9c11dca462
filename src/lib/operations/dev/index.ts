import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEV_CONTEXT, devContextPath, removeDevContext, writeDevContext } from '../../devserver/dev-context.ts';
import { processIdentity } from '../../devserver/identity.ts';
import { type LocatedServer, locateServer } from '../../devserver/locate.ts';
import {
  claim,
  DEV_DIR,
  type DevState,
  endServers,
  findProject,
  isAlive,
  keepPort,
  readPort,
  removeState,
  statePath,
  writeState,
} from '../../devserver/state.ts';
import { type RunningServers, startServers } from '../../devserver/supervise.ts';
import { forgetFile, watchFile } from '../../devserver/watchdog.ts';
import { OpsError } from '../../errors/ops-error.ts';
import type { Context } from '../../model/context.ts';
import type { DevReport, DevServerInfo } from '../../model/dev.ts';
import { type Guest, guestsOf, type Launcher } from './guests.ts';

/** Where clients look when nothing says where the server is. */
const USUAL_PORT = 4222;

export interface DevOptions {
  readonly port?: number;
  /** Nodes: 1 or 3. */
  readonly cluster: number;
  /** Starts without the data of the last time. */
  readonly fresh: boolean;
  /** Writes the nats context `osapi-dev`, and removes it at the end. */
  readonly writeContext: boolean;
  /** A spec to apply as soon as it answers. */
  readonly apply?: string;
  /** A handler for `worker run` on it, loaded anew when it changes. */
  readonly worker?: string;
  /** The folder for data and state; `.osapi-dev` of the project where left out. */
  readonly dir?: string;
}

export const reportOf = (dir: string, pid: number, server: DevServerInfo): DevReport => ({ ...server, pid, dir });

export const devDir = (context: Context, dir?: string): string => dir ?? join(findProject(context.cwd), DEV_DIR);

/**
 * Runs a development server until it is interrupted; `onReady` hears when it answers.
 * @throws OpsError DEV_NO_SERVER, DEV_FAILED
 */
export async function runDev(
  context: Context,
  options: DevOptions,
  launcher: Launcher,
  onReady: (report: DevReport) => void | Promise<void>,
): Promise<void> {
  const { io, env } = context;
  refuseEvenCluster(options);
  const dir = devDir(context, options.dir);
  const located = await locateServer({ env, io });
  await takeFolder(dir, io.signal);
  watchFile(statePath(dir));
  let servers: RunningServers | undefined;
  let worker: Guest | undefined;
  try {
    servers = await start(located, dir, options, io.signal);
    keepPort(dir, servers.port);
    const guests = guestsOf(context, launcher, servers.url);
    if (options.apply !== undefined) await guests.apply(options.apply);
    if (options.worker !== undefined) worker = guests.work(options.worker, options.apply);
    const server = await describe(context, options, located, dir, servers);
    await onReady(reportOf(dir, process.pid, server));
    await untilInterrupted(servers, io.signal);
  } finally {
    await worker?.end();
    await servers?.stop();
    if (options.writeContext && servers) removeDevContext(env, servers.urls);
    removeState(dir);
    forgetFile(statePath(dir));
    forgetFile(devContextPath(env));
  }
}

function start(located: LocatedServer, dir: string, options: DevOptions, signal: AbortSignal): Promise<RunningServers> {
  // A cluster's streams are of no use to a single server, and the other way round: each has its own data.
  const pids: Record<string, string> = {};
  const data = join(dir, options.cluster > 1 ? `cluster-${options.cluster}` : 'single');
  if (options.fresh) rmSync(data, { recursive: true, force: true });
  return startServers({
    binary: located.path,
    dir: data,
    port: options.port,
    preferredPorts: [readPort(dir) ?? USUAL_PORT],
    nodes: options.cluster,
    signal,
    onSpawn(pid) {
      pids[pid] = processIdentity(pid) ?? '';
      writeState(dir, { servers: pids });
    },
  });
}

/**
 * Makes the folder ours. Where the one before was killed, its servers may still be writing: they get some seconds to
 * end by themselves (their watchdog has told them to), then they are ended.
 */
async function takeFolder(dir: string, signal: AbortSignal): Promise<void> {
  for (let round = 0; ; round++) {
    const other = claim(dir);
    if (!other) return;
    if (isAlive(other)) throw alreadyRunning(dir, other);
    if (round === 20) endServers(other, 'SIGTERM');
    if (round === 200) endServers(other, 'SIGKILL');
    await sleep(50, undefined, { signal });
  }
}

async function describe(
  context: Context,
  options: DevOptions,
  located: LocatedServer,
  dir: string,
  servers: RunningServers,
): Promise<DevServerInfo> {
  if (options.writeContext) {
    writeDevContext(context.env, servers.urls);
    watchFile(devContextPath(context.env));
  }
  const server: DevServerInfo = {
    url: servers.url,
    urls: servers.urls,
    port: servers.port,
    version: located.version,
    binary: located.path,
    data: join(servers.nodes[0]!.log, '..'),
    logs: servers.nodes.map((node) => node.log),
    monitor: servers.nodes.map((node) => node.monitorUrl),
    pids: servers.nodes.map((node) => node.pid),
    started: context.now().toISOString(),
    ...(options.writeContext ? { context: DEV_CONTEXT } : {}),
  };
  writeState(dir, { server });
  return server;
}

async function untilInterrupted(servers: RunningServers, signal: AbortSignal): Promise<void> {
  const interrupted = new Promise<'interrupted'>((resolve) => {
    if (signal.aborted) resolve('interrupted');
    signal.addEventListener('abort', () => resolve('interrupted'), { once: true });
  });
  const what = await Promise.race([servers.ended, interrupted]);
  if (what === 'interrupted') return;
  throw new OpsError('DEV_FAILED', 'nats-server ended by itself', {
    where: servers.nodes[0]!.log,
    why: 'Somebody stopped it, or it failed; the log says which.',
    hints: ['start it again; the data is kept'],
  });
}

/** Two nodes lose their quorum with either of them; nothing is learnt from such a cluster. */
export function refuseEvenCluster({ cluster }: DevOptions): void {
  if ([1, 3, 5].includes(cluster)) return;
  throw new OpsError('USAGE', `a cluster has 1, 3 or 5 nodes, not ${cluster}`, {
    where: '--cluster',
    why: 'JetStream replicates to an odd number of nodes.',
    hints: ['give `--cluster 3`'],
  });
}

export function alreadyRunning(dir: string, { pid, server }: DevState): OpsError {
  return new OpsError(
    'DEV_FAILED',
    `a development server is ${server ? 'running' : 'starting'} in this project already`,
    {
      where: `${server?.url ?? dir} (pid ${pid})`,
      why: 'Two servers on the same data would destroy it.',
      hints: ['use that one, or end it with `osapi-ops dev stop`'],
    },
  );
}
