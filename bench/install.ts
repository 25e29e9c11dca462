import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { startServer } from '../test/support/server.ts';
import { type Row, timeProcess } from './measure.ts';

/** The Node lines the package says it runs on. */
const NODES = ['22.22', '24', '26'];

/**
 * In an empty folder, with the packed tarball and one Node on PATH: from `npm i` to the first applied queue on a real
 * server. The Node itself comes from the npm package `node` and is not timed.
 */
export async function benchInstall(): Promise<Row[]> {
  const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-install-'));
  try {
    const pack = ['pack', '--json', '--silent', '--pack-destination', dir];
    const [packed] = Object.values(JSON.parse(execFileSync('npm', pack, { encoding: 'utf8' }))) as {
      filename: string;
    }[];
    const rows: Row[] = [];
    for (const line of NODES) rows.push(await firstQueue(dir, join(dir, packed!.filename), line));
    return rows;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function firstQueue(dir: string, tarball: string, line: string): Promise<Row> {
  const tools = join(dir, `node-${line}`);
  execFileSync('npm', ['install', '--silent', '--no-save', '--prefix', tools, `node@${line}`], { cwd: dir });
  const node = join(tools, 'node_modules', 'node', 'bin', 'node');
  const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
  const npm = execFileSync('npm', ['root', '--global'], { encoding: 'utf8' }).trim();
  const cwd = join(dir, `empty-${line}`);
  mkdirSync(cwd);
  const server = await startServer();
  try {
    const env = { PATH: [dirname(node), '/usr/bin', '/bin'].join(delimiter), NATS_URL: server.url, NODE_OPTIONS: '' };
    const run = async (...args: string[]) => (await timeProcess({ command: node, args, cwd, env })).seconds;
    const cli = join(cwd, 'node_modules', '.bin', 'osapi-ops');
    const install = await run(join(npm, 'npm', 'bin', 'npm-cli.js'), 'install', '--no-audit', '--no-fund', tarball);
    const init = await run(cli, 'init', '--yes');
    const apply = await run(cli, 'apply');
    // It is there: what was made is what the spec says, by exit code.
    await run(cli, 'plan', '--detailed-exitcode');
    const total = install + init + apply;
    return {
      what: `\`npm i\` of the tarball, \`init\`, \`apply\`: the first queue, on Node ${line}, seconds`,
      ours: `${total.toFixed(1)} s = ${[install, init, apply].map((part) => part.toFixed(1)).join(' + ')} (${version})`,
      theirs: '',
      ratio: total,
      limit: 60,
    };
  } finally {
    await server.stop();
  }
}
