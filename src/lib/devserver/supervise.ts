import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, closeSync, constants, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { OpsError } from '../errors/ops-error.ts';
import { configText, type NodeConfig } from './config.ts';
import { findFreePorts, firstFreePort } from './ports.ts';
import { spawnWatched } from './watchdog.ts';

export interface ServerOptions {
  /** The nats-server to run. */
  readonly binary: string;
  /** Holds configuration, logs and, under each node's name, its streams. Kept. */
  readonly dir: string;
  /** The client port of the first node; a free one where left out. */
  readonly port?: number;
  /** Where no `port` is given: the first of these that is free. */
  readonly preferredPorts?: readonly number[];
  /** How many nodes; 1 where left out. */
  readonly nodes?: number;
  readonly jetstream?: boolean;
  /** Lines of nats-server configuration for every node. */
  readonly extra?: string;
  readonly signal?: AbortSignal;
  /** Hears of every process at once, before it is ready. */
  readonly onSpawn?: (pid: number) => void;
}

interface ServerNode {
  readonly name: string;
  readonly url: string;
  readonly monitorUrl: string;
  readonly log: string;
  readonly pid: number;
}

/** Running nats-servers of ours. `stop` is graceful: streams are flushed. */
export interface RunningServers {
  readonly url: string;
  readonly urls: readonly string[];
  readonly port: number;
  readonly nodes: readonly ServerNode[];
  /** Resolves when all nodes are gone, whoever ended them. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
  /** Sends a signal to all nodes, or to one, and waits until they are gone. */
  kill(signal: NodeJS.Signals, node?: number): Promise<void>;
  /** Starts every node that is not running, on its old port and its old data, and waits until all are ready. */
  restart(): Promise<void>;
}

const READY_MS = 15_000;
const CLUSTER_READY_MS = 45_000;
/** nats-server 2.10 forms a cluster of two of three now and then, for good: the third gets in when it starts anew. */
const LEFT_OUT_MS = 4000;
const STOP_MS = 10_000;

const logTail = (path: string): string =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .slice(-8)
    .join('\n')
    .replaceAll(/^\[\d+\] /gm, '');

/** One node: a configuration, and the process that runs on it at the moment. */
class Node implements ServerNode {
  readonly name: string;
  readonly url: string;
  readonly monitorUrl: string;
  readonly log: string;
  readonly storesStreams: boolean;
  readonly #config: string;
  readonly #binary: string;
  #child: ChildProcess | undefined;

  constructor(binary: string, dir: string, config: NodeConfig) {
    this.name = config.name;
    this.url = `nats://127.0.0.1:${config.port}`;
    this.monitorUrl = `http://127.0.0.1:${config.monitorPort}`;
    this.log = join(dir, `${config.name}.log`);
    this.storesStreams = config.store !== undefined;
    this.#config = join(dir, `${config.name}.conf`);
    this.#binary = binary;
    writeFileSync(this.#config, configText(config));
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get running(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async start(onSpawn: ServerOptions['onSpawn']): Promise<void> {
    try {
      accessSync(this.#binary, constants.X_OK);
    } catch (cause) {
      throw new OpsError('DEV_FAILED', `${this.#binary} cannot be started: ${(cause as Error).message}`, { cause });
    }
    const log = openSync(this.log, 'w');
    // A session of its own: Ctrl-C of the terminal is for us, and we stop the servers in order.
    const child = spawnWatched(this.#binary, ['-c', this.#config], {
      detached: true,
      windowsHide: true,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.#child = child;
    if (child.pid) onSpawn?.(child.pid);
    child.unref();
    await once(child, 'spawn');
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (!child || !this.running) return;
    const gone = once(child, 'exit');
    child.ref();
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await gone;
    clearTimeout(timer);
  }

  async ended(): Promise<void> {
    if (!this.#child || !this.running) return;
    this.#child.ref();
    await once(this.#child, 'exit');
  }

  /** True when JetStream is up and every stream is recovered; in a cluster also when it has a meta leader. */
  async healthy(): Promise<boolean> {
    return (await this.#ask('/healthz')) !== undefined;
  }

  /** Of the meta leader, those on which it would place a stream; of others nobody. */
  async peers(): Promise<readonly string[]> {
    const { meta_cluster: meta } = JSON.parse((await this.#ask('/jsz')) ?? '{}') as { meta_cluster?: MetaCluster };
    if (meta?.leader !== this.name) return [];
    return [
      this.name,
      ...(meta.replicas ?? []).filter(({ current, offline }) => current && !offline).map(({ name }) => name),
    ];
  }

  /** What the monitoring answers; undefined where it does not, or not with 200. */
  async #ask(path: string): Promise<string | undefined> {
    return new Promise((resolve) => {
      const request = get(`${this.monitorUrl}${path}`, { agent: false, timeout: 1000 }, async (response) => {
        const text = await response
          .setEncoding('utf8')
          .toArray()
          .catch(() => []);
        resolve(response.statusCode === 200 ? text.join('') : undefined);
      });
      request.on('timeout', () => request.destroy());
      request.on('error', () => resolve(undefined));
    });
  }
}

interface MetaCluster {
  readonly leader?: string;
  readonly replicas?: readonly { readonly name: string; readonly current?: boolean; readonly offline?: boolean }[];
}

/** A leader that has not heard of a node yet refuses replicas with 10005, though all of them are healthy. */
async function findLeftOut(nodes: readonly Node[]): Promise<readonly Node[]> {
  if (nodes.length === 1 || !nodes[0]!.storesStreams) return [];
  const known = await Promise.all(nodes.map((node) => node.peers()));
  const most = known.reduce((one, other) => (other.length > one.length ? other : one));
  return nodes.filter(({ name }) => !most.includes(name));
}

async function untilReady(nodes: readonly Node[], { signal, onSpawn }: ServerOptions): Promise<void> {
  let patience = performance.now() + LEFT_OUT_MS;
  const deadline = performance.now() + (nodes.length > 1 ? CLUSTER_READY_MS : READY_MS);
  for (let pause = 5; ; pause = Math.min(pause * 1.5, 100)) {
    signal?.throwIfAborted();
    const healthy = await Promise.all(nodes.map((node) => node.healthy()));
    const dead = nodes.find((node) => !node.running);
    if (dead) throw failure(`nats-server ${dead.name} ended before it was ready`, dead);
    const leftOut = await findLeftOut(nodes);
    if (healthy.every(Boolean) && leftOut.length === 0) return;
    const late = nodes[healthy.indexOf(false)] ?? nodes[0]!;
    if (performance.now() > deadline) throw failure(`nats-server ${late.name} did not become ready in time`, late);
    if (leftOut.length > 0 && performance.now() > patience) {
      await leftOut[0]!.end('SIGTERM');
      await leftOut[0]!.start(onSpawn);
      patience = performance.now() + LEFT_OUT_MS;
    }
    await sleep(pause);
  }
}

const failure = (message: string, node: Node): OpsError =>
  new OpsError('DEV_FAILED', message, {
    where: node.log,
    why: logTail(node.log),
    hints: ['the log says why; `--fresh` starts without the old data'],
  });

const portTaken = (error: unknown): boolean =>
  error instanceof OpsError && /address already in use|Only one usage of each socket/.test(error.why ?? '');

/**
 * Starts nats-servers on loopback and waits until they answer. They end with this process, however it ends.
 * @throws OpsError DEV_FAILED, with the end of the log
 */
export async function startServers(options: ServerOptions): Promise<RunningServers> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(attempt === 1 ? options : { ...options, preferredPorts: [] });
    } catch (error) {
      // Between finding a free port and using it somebody else may have taken it.
      if (!portTaken(error) || attempt === 5) throw error;
      if (options.port && (error as OpsError).why?.includes(`:${options.port}:`)) {
        throw new OpsError('DEV_FAILED', `port ${options.port} is taken`, {
          where: `127.0.0.1:${options.port}`,
          why: 'Another process listens there.',
          hints: ['give another `--port`, or leave it out for a free one'],
          cause: error,
        });
      }
    }
  }
}

async function startOnce(options: ServerOptions): Promise<RunningServers> {
  const count = options.nodes ?? 1;
  const ports = await findFreePorts(count * 3);
  const routes = ports.slice(count * 2);
  const port = options.port ?? (await firstFreePort(options.preferredPorts ?? [])) ?? ports[0]!;
  mkdirSync(options.dir, { recursive: true });
  const nodes = Array.from({ length: count }, (_, index) => {
    const name = `n${index + 1}`;
    return new Node(options.binary, options.dir, {
      name,
      port: index === 0 ? port : ports[index]!,
      monitorPort: ports[count + index]!,
      store: options.jetstream === false ? undefined : join(options.dir, name),
      cluster: count > 1 ? { port: routes[index]!, routes } : undefined,
      extra: options.extra,
    });
  });
  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<void> => {
    await Promise.all(nodes.map((node) => node.end(signal)));
  };
  const start = async (): Promise<void> => {
    try {
      await Promise.all(nodes.filter((node) => !node.running).map((node) => node.start(options.onSpawn)));
      await untilReady(nodes, options);
    } catch (error) {
      await stop();
      throw error;
    }
  };
  await start();
  return {
    url: nodes[0]!.url,
    urls: nodes.map((node) => node.url),
    port: Number(new URL(nodes[0]!.url).port),
    nodes,
    get ended() {
      return Promise.all(nodes.map((node) => node.ended())).then(() => {});
    },
    stop,
    kill: (signal, node) => (node === undefined ? stop(signal) : nodes[node]!.end(signal)),
    restart: start,
  };
}
