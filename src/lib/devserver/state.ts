import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { DevServerInfo } from '../model/dev.ts';
import { processIdentity } from './identity.ts';

/** What `dev` keeps of itself in a project, for `dev status` and `dev stop`. */
export interface DevState {
  readonly pid: number;
  readonly identity: string;
  /** The nats-servers, by pid, as soon as they are started. */
  readonly servers?: Readonly<Record<string, string>>;
  /** Absent while it is starting. */
  readonly server?: DevServerInfo;
}

export const DEV_DIR = '.osapi-dev';

/** The project's folder: the nearest one upwards that has a development server already, a spec, or is a repository. */
export function findProject(cwd: string): string {
  for (const marks of [[DEV_DIR], ['osapi-ops.yaml', '.git', 'package.json']]) {
    for (let dir = cwd; ; dir = dirname(dir)) {
      if (marks.some((mark) => existsSync(join(dir, mark)))) return dir;
      if (dir === dirname(dir)) break;
    }
  }
  return cwd;
}

const stateFile = (dir: string): string => join(dir, 'state.json');

/** The state, whether or not its process still runs; undefined where there is none. */
export function readDevState(dir: string): DevState | undefined {
  try {
    return JSON.parse(readFileSync(stateFile(dir), 'utf8')) as DevState;
  } catch {
    return undefined;
  }
}

/** True while a nats-server of that state runs, whether or not its supervisor does. */
export const hasServers = ({ servers = {} }: DevState): boolean =>
  Object.entries(servers).some(([pid, identity]) => processIdentity(Number(pid)) === identity);

/** Ends the nats-servers whose supervisor is gone and left them to us. Harms no process that has got such a pid since. */
export function endServers({ servers = {} }: DevState, signal: NodeJS.Signals): void {
  for (const [pid, identity] of Object.entries(servers)) {
    if (processIdentity(Number(pid)) === identity) process.kill(Number(pid), signal);
  }
}

export const isAlive = ({ pid, identity }: DevState): boolean => processIdentity(pid) === identity;

/** Takes the folder for this process, in one step. Returns the state of the process that has it, if one does. */
export function claim(dir: string): DevState | undefined {
  mkdirSync(dir, { recursive: true });
  // Nobody wants streams of a development server in a repository.
  writeFileSync(join(dir, '.gitignore'), '*\n');
  const mine: DevState = { pid: process.pid, identity: processIdentity(process.pid) ?? '' };
  const draft = join(dir, `state.${process.pid}`);
  writeFileSync(draft, JSON.stringify(mine));
  try {
    for (;;) {
      try {
        linkSync(draft, stateFile(dir));
        return undefined;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const other = readDevState(dir);
      if (other && (isAlive(other) || hasServers(other))) return other;
      // Left behind by one that was killed. Of several who find it, one gets to move it away.
      const stale = `${draft}.stale`;
      try {
        renameSync(stateFile(dir), stale);
        rmSync(stale);
      } catch {
        // Another was faster; the next round shows whether it runs.
      }
    }
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Replaces the state in one step; what is left out stays as it was. */
export function writeState(dir: string, change: { servers?: DevState['servers']; server?: DevServerInfo }): void {
  const draft = join(dir, `state.${process.pid}`);
  writeFileSync(draft, JSON.stringify({ ...readDevState(dir), ...change }, null, 2));
  renameSync(draft, stateFile(dir));
}

export const removeState = (dir: string): void => rmSync(stateFile(dir), { force: true });
export const statePath = stateFile;

const portFile = (dir: string): string => join(dir, 'port');

/** The port of the last time; undefined the first time. */
export function readPort(dir: string): number | undefined {
  try {
    const port = Number(readFileSync(portFile(dir), 'utf8'));
    return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
  } catch {
    return undefined;
  }
}

export const keepPort = (dir: string, port: number): void => writeFileSync(portFile(dir), `${port}\n`);
