// Brings what the tests need and can be brought: the servers of the test matrix into the cache, the nats CLI beside them.
// Prints what is here then, as `Here`.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDir } from '../../src/lib/devserver/cache.ts';
import { locateServer } from '../../src/lib/devserver/locate.ts';
import type { Here } from './here.ts';
import { recordingIo } from './io.ts';
import { LINES, NATS_CLI, NEEDS } from './needs.ts';

const lines = process.env.OSAPI_OPS_TEST_LINES?.split(/[\s,]+/) ?? LINES;

function works([command, ...args]: readonly string[], ms = 10_000, env = process.env): Promise<boolean> {
  return new Promise((resolve) => {
    // Not `timeout`: where there is no such program, its timer would keep this process for so long.
    const child = spawn(command!, args, { stdio: 'ignore', signal: AbortSignal.timeout(ms), env });
    child.on('error', () => resolve(false));
    child.on('close', (code) => resolve(code === 0));
  });
}

async function isHere(what: string, found: Promise<unknown>): Promise<boolean> {
  try {
    await found;
    return true;
  } catch (error) {
    process.stderr.write(`not tested with ${what}: ${(error as Error).message}\n`);
    return false;
  }
}

/** The nats CLI of PATH, or the one that is kept, or one that is built now: put there whole or not at all. */
async function bringNatsCli(): Promise<string | null> {
  if (await works(['nats', '--version'])) return 'nats';
  const kept = join(cacheDir(process.env), 'nats-cli', NATS_CLI.split('@')[1]!, 'nats');
  if (existsSync(kept)) return kept;
  const bench = `${kept}-${process.pid}`;
  try {
    mkdirSync(bench, { recursive: true });
    if (!(await works(['go', 'install', NATS_CLI], 10 * 60_000, { ...process.env, GOBIN: bench }))) return null;
    renameSync(join(bench, 'nats'), kept);
    return kept;
  } finally {
    rmSync(bench, { recursive: true, force: true });
  }
}

const BROWSERS = [
  ...['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'],
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** The Chromium of tools/chromium, unpacked where it is kept, whole or not at all; else one that somebody installed. */
async function bringBrowser(): Promise<string | null> {
  const tool = new URL('../../tools/chromium/node_modules/@sparticuz/chromium/', import.meta.url);
  if (existsSync(tool)) {
    const { version } = JSON.parse(readFileSync(new URL('package.json', tool), 'utf8')) as { version: string };
    const kept = join(cacheDir(process.env), 'chromium', version);
    const bench = `${kept}-${process.pid}`;
    if (!existsSync(kept)) {
      mkdirSync(bench, { recursive: true });
      // It unpacks into the folder for what is temporary, which is everybody's.
      const unpack = `(await import(${JSON.stringify(new URL('build/index.js', tool).href)})).default.executablePath()`;
      const env = { ...process.env, TMPDIR: bench };
      const whole = await works([process.execPath, '--input-type=module', '-e', `await ${unpack}`], 120_000, env);
      if (whole && !existsSync(kept)) renameSync(bench, kept);
      rmSync(bench, { recursive: true, force: true });
    }
    if (await works([join(kept, 'chromium'), '--version'])) return join(kept, 'chromium');
  }
  for (const path of BROWSERS) if (await works([path, '--version'])) return path;
  return null;
}

const server = (line: string) => locateServer({ env: process.env, io: recordingIo(), line });
const probes = Object.entries(NEEDS).flatMap(([need, rest]) => ('probe' in rest ? [{ need, probe: rest.probe }] : []));
const [servers, natsCli, browser, probed] = await Promise.all([
  Promise.all(lines.map((line) => isHere(`nats-server ${line}`, server(line)))),
  bringNatsCli(),
  bringBrowser(),
  Promise.all(probes.map(({ probe }) => works(probe))),
]);
const here: Here = {
  lines: lines.filter((_, index) => servers[index]),
  natsCli,
  browser,
  lacking: [
    ...lines.filter((_, index) => !servers[index]).map((line) => `nats-server ${line}`),
    ...(natsCli === null ? ['the nats CLI'] : []),
    ...(browser === null ? ['a browser'] : []),
    ...probes.filter((_, index) => !probed[index]).map(({ need }) => need),
  ],
};
console.log(JSON.stringify(here));
