import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { locateServer } from '../../src/lib/devserver/locate.ts';
import { type RunningServers, startServers } from '../../src/lib/devserver/supervise.ts';
import { here } from './here.ts';
import { recordingIo } from './io.ts';

export interface TestServer {
  readonly url: string;
  readonly urls: readonly string[];
  readonly port: number;
  readonly version: string;
  readonly pid: number;
  readonly pids: readonly number[];
  /** Holds configuration, logs and streams; removed by `stop`. */
  readonly dir: string;
  /** HTTP base of the first node's monitoring, as `http://127.0.0.1:…`. */
  readonly monitorUrl: string;
  stop(): Promise<void>;
  /** Sends a signal to all nodes, or to one (from 0), and waits until they are gone. */
  kill(signal: NodeJS.Signals, node?: number): Promise<void>;
  /** Starts what was killed, on the same ports and data. */
  restart(): Promise<void>;
}

/** A real nats-server on a free loopback port, ready to answer JetStream. A line (`2.10`) picks the version. */
export async function startServer(
  options: { version?: string; cluster?: number; config?: string; jetstream?: boolean; parent?: string } = {},
): Promise<TestServer> {
  const line = options.version?.split('.').slice(0, 2).join('.');
  const located = await locateServer({ env: process.env, io: recordingIo(), line });
  const dir = mkdtempSync(join(options.parent ?? tmpdir(), 'osapi-ops-test-'));
  let servers: RunningServers;
  try {
    servers = await startServers({
      binary: located.path,
      dir,
      nodes: options.cluster,
      jetstream: options.jetstream,
      extra: options.config,
    });
  } catch (error) {
    rmSync(dir, { recursive: true, force: true });
    throw error;
  }
  return {
    url: servers.url,
    urls: servers.urls,
    port: servers.port,
    version: located.version,
    get pid() {
      return servers.nodes[0]!.pid;
    },
    get pids() {
      return servers.nodes.map((node) => node.pid);
    },
    dir,
    monitorUrl: servers.nodes[0]!.monitorUrl,
    async stop() {
      await servers.kill('SIGKILL');
      rmSync(dir, { recursive: true, force: true });
    },
    kill: servers.kill,
    restart: servers.restart,
  };
}

/** Which lines of the test matrix can be had on this machine. */
export const availableVersions = (): readonly string[] => here().lines;

/** The oldest and the newest of them, for what no line between them does in a way of its own. */
export const outermostVersions = (): readonly string[] => [
  ...new Set([availableVersions().at(0)!, availableVersions().at(-1)!]),
];
