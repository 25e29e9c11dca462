import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Run {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** How it may end; with 0 where left out. */
  readonly codes?: readonly number[];
}

export interface Timing {
  readonly seconds: number;
  /** Peak resident memory in bytes; only of Node processes. */
  readonly memory: number;
}

const PEAK = `data:text/javascript,import{writeFileSync}from'node:fs';process.on('exit',()=>process.env.BENCH_PEAK&&writeFileSync(process.env.BENCH_PEAK,String(process.resourceUsage().maxRSS)))`;

/** Runs a whole process and times it, from spawn to exit. @throws Error when it fails, with what it said */
export async function timeProcess({ command, args, cwd, env, codes = [0] }: Run, withMemory = false): Promise<Timing> {
  const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-bench-'));
  const peak = join(dir, 'peak');
  const extra = withMemory ? { BENCH_PEAK: peak, NODE_OPTIONS: `--import ${PEAK}` } : {};
  const started = process.hrtime.bigint();
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env, ...extra },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stdout.resume();
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  if (code === null || !codes.includes(code)) throw new Error(`${command} ${args.join(' ')} exited ${code}: ${said}`);
  const memory = withMemory ? Number(readFileSync(peak, 'utf8')) * 1024 : 0;
  rmSync(dir, { recursive: true, force: true });
  return { seconds, memory };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** As on a runner that was made for this run and is thrown away after it: a home and a temporary folder that are empty. */
export async function timeCold(run: Run): Promise<Timing> {
  const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-cold-'));
  try {
    const places = { HOME: dir, TMPDIR: dir, XDG_CONFIG_HOME: join(dir, 'config'), XDG_CACHE_HOME: join(dir, 'cache') };
    return await timeProcess({ ...run, env: { ...places, ...run.env } });
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Runs the contestants in turn, `rounds` times after one warm-up each, so that a slow minute hits all of them alike. */
export async function interleave<K extends string>(
  rounds: number,
  contestants: Record<K, () => Promise<number>>,
): Promise<Record<K, number>> {
  const names = Object.keys(contestants) as K[];
  const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<K, number[]>;
  for (const name of names) await contestants[name]();
  for (let round = 0; round < rounds; round += 1) {
    for (const name of names) times[name].push(await contestants[name]());
  }
  return Object.fromEntries(names.map((name) => [name, median(times[name])])) as Record<K, number>;
}

export const machine = (): string => `${cpus().length} × ${cpus()[0]?.model.trim()}, Node ${process.version}`;

export interface Row {
  readonly what: string;
  readonly ours: string;
  readonly theirs: string;
  /** Ours divided by theirs; for figures without a peer, the figure itself. */
  readonly ratio: number;
  /** The most the ratio may be; absent where the figure is only reported. */
  readonly limit?: number;
}

export const milliseconds = (seconds: number): string => `${(seconds * 1000).toFixed(0)} ms`;

export function renderRows(rows: readonly Row[]): string {
  const lines = ['| what | ours | compared with | ratio | allowed |', '| --- | --- | --- | --- | --- |'];
  for (const row of rows) {
    const verdict = row.limit === undefined ? '' : `≤ ${row.limit}${row.ratio > row.limit ? ' **missed**' : ''}`;
    lines.push(`| ${row.what} | ${row.ours} | ${row.theirs} | ${row.ratio.toFixed(2)} | ${verdict} |`);
  }
  return lines.join('\n');
}

/** The lines of a page of this machine that are about something else than these rows. */
export function otherLines(page: string, rows: readonly Row[]): string[] {
  if (!page.includes(`On ${machine()}:`)) return [];
  const lines = page.split('\n').filter((line) => line.startsWith('| '));
  return lines.slice(2).filter((line) => !rows.some(({ what }) => line.startsWith(`| ${what} |`)));
}
