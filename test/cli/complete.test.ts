import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Nats } from '../../src/lib/nats/connect.ts';
import { BIN, type CliOptions, type CliResult, runCli } from '../support/cli.ts';
import { connectTo } from '../support/connected.ts';
import { letDie, makeQueue, put, wipe } from '../support/dead-letters.ts';
import { needing } from '../support/needing.ts';
import { startInTerminal, type Terminal } from '../support/pty.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';

let server: TestServer;
let nats: Nats;
const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-tab-'));
const cwd = join(dir, 'work');
const config = join(dir, 'config');

/** Names that the server takes, and that a shell must never see bare. Each is alone with its first two letters. */
const HOSTILE = [
  'A1$(touch$IFS"pwned")',
  'B2`touch$IFS"pwned"`',
  "C3it's;id",
  'D4"q"&!x',
  'E5$HOME',
  'F6(x)|y',
  'G7#~x',
  'H8äß',
];

beforeAll(async () => {
  mkdirSync(join(cwd, 'specs'), { recursive: true });
  mkdirSync(join(config, 'nats', 'context'), { recursive: true });
  // Says which words it was called with: that is what the shell made of the line.
  writeFileSync(
    join(dir, 'osapi-ops'),
    `#!/bin/sh
case "$1" in __complete | autocomplete) exec "${process.execPath}" "${BIN}" "$@" ;; esac
for word; do printf '%s\\n' "$word"; done > "${dir}/called"
echo "DO""NE"
`,
  );
  chmodSync(join(dir, 'osapi-ops'), 0o755);
  writeFileSync(join(cwd, 'specs', 'prod.yaml'), '');
  writeFileSync(join(cwd, 'specs', 'notes.txt'), '');
  writeFileSync(join(cwd, 'saved.plan'), '');
  writeFileSync(join(config, 'nats', 'context', 'prod.json'), '{"url":"nats://user:geheim@prod:4222"}');
  server = await startServer();
  nats = await connectTo(server);
  await wipe(nats);
  await makeQueue(nats);
  await put(nats, 'requests.whois', Buffer.from('{"id":"id-dead","query":"x"}'));
  await letDie(nats);
  await put(nats, 'requests.dns', Buffer.from('{"id":"id-waiting","query":"x"}'));
  for (const name of HOSTILE) {
    await nats.api(`STREAM.CREATE.${name}`, {
      name,
      subjects: [`s.${name.slice(0, 2)}`],
      retention: 'workqueue',
      storage: 'memory',
    });
  }
});
afterAll(async () => {
  await nats.close();
  await server.stop();
  rmSync(dir, { recursive: true, force: true });
});

const env = () => ({
  PATH: [dir, process.env.PATH].join(':'),
  NATS_URL: server.url,
  XDG_CONFIG_HOME: config,
});

/**
 * What `__complete` answers zsh. It waits for a server no longer than a person does, which on a busy machine is too short:
 * then it is asked again, as it is where it has nothing to say and should.
 */
async function ask(words: readonly string[], options: CliOptions, wantsAny: boolean): Promise<CliResult> {
  let done: CliResult | undefined;
  const inTime = async () => {
    done = await runCli(['__complete', 'zsh', ...words], options);
    return done.signal !== 'SIGTERM' && (!wantsAny || done.stdout !== ':values\n');
  };
  await until(inTime, 'it answers in time', 50_000);
  return done!;
}

/** What it offers: value and remark. */
async function offers(words: readonly string[], current = '', wantsAny = true): Promise<string[]> {
  const done = await ask([`=${current}`, ...words], { server, cwd, env: env() }, wantsAny);
  expect({ code: done.code, stderr: done.stderr }).toEqual({ code: 0, stderr: '' });
  return done.stdout.trimEnd().split('\n');
}

describe('what is offered', () => {
  test.each<[string, string[], string, unknown[]]>([
    [
      'topics and commands',
      [],
      'd',
      [
        expect.stringMatching(/^demo\t/),
        expect.stringMatching(/^destroy\t/),
        expect.stringMatching(/^dev\t/),
        expect.stringMatching(/^dlq\tdead letters/),
        expect.stringMatching(/^doctor\t/),
      ],
    ],
    [
      'the commands of a topic',
      ['queue'],
      '',
      [expect.stringMatching(/^drain\t/), expect.stringMatching(/^pause\t/), expect.stringMatching(/^resume\t/)],
    ],
    [
      'flags that are left',
      ['plan', '--out', 'x', '--prune'],
      '--detail',
      [expect.stringMatching(/^--detailed-exitcode\t/)],
    ],
    ['no flag twice', ['plan', '--out', 'x', '-f', 'y'], '--out', []],
    ['what a flag can be', ['dlq', 'ls', '--state'], '', ['replayable', 'parked', 'gone', 'orphan']],
    ['the same behind a sign', ['status'], '--fail-on=c', ['--fail-on=critical']],
    ['another goal after a comma', ['status', '--for'], 'healthy,d', ['healthy,drained', 'healthy,dlq-empty']],
    ['roles', ['permissions', 'x.yaml'], 'w', ['worker']],
    [
      'dead letters, with subject and age',
      ['dlq', 'show'],
      'REQ',
      [expect.stringMatching(/^REQUESTS\/request-worker\/1\trequests\.\w+, [\dms]+$/)],
    ],
    ['only those that are not there yet', ['dlq', 'replay', 'REQUESTS/request-worker/1'], 'REQ', []],
    [
      'queues and their consumers',
      ['queue', 'pause'],
      'REQ',
      [expect.stringMatching(/^REQUESTS\tfor request-worker/), expect.stringMatching(/^REQUESTS\/request-worker\t/)],
    ],
    [
      'requests that wait, and dead ones',
      ['request', 'show'],
      'id-',
      [
        expect.stringMatching(/^id-waiting\trequests\.dns, waits, [\dms]+$/),
        expect.stringMatching(/^id-dead\trequests\.whois, dead, [\dms]+$/),
      ],
    ],
    ['kinds of request', ['request', 'send'], 'd', [expect.stringMatching(/^dns\trequests\.dns of REQUESTS/)]],
    ['contexts, without their passwords', ['status', '--context'], '', ['prod\tnats://prod:4222']],
  ])('is %s', async (_, words, current, want) => {
    const [head, ...rows] = await offers(words, current, want.length > 0);
    expect(head).toBe(':values');
    expect(rows).toEqual(want);
  });

  test.each([
    [['apply'], ':files yaml yml plan json'],
    [['dlq', 'ls', '-f'], ':files yaml yml'],
    [['init'], ':folders'],
    [['dlq', 'export', '--out'], ':files'],
  ])('is files, which the shell finds: %j', async (words, want) => {
    expect(await offers(words)).toEqual([want]);
  });

  test('is nothing, soon and in silence, where no server answers', async () => {
    const completed = (NATS_URL: string) =>
      runCli(['__complete', 'zsh', '=', 'dlq', 'show'], { cwd, env: { NATS_URL } });
    const inTime = async () => {
      const began = performance.now();
      expect(await completed('nats://127.0.0.1:1')).toMatchObject({ code: 0, stdout: ':values\n', stderr: '' });
      const started = performance.now();
      // An address of the kind that is kept for documents: nobody answers, nobody refuses.
      expect(await completed('nats://192.0.2.1:4222')).toMatchObject({ stdout: ':values\n', stderr: '' });
      return performance.now() - started < 3000 + 2 * (started - began);
    };
    // How long a process takes to start is the machine's doing.
    await until(inTime, 'it is soon');
  });

  test('is nothing for what cannot be read: a flag that is none, a word too many, a context that is not there', async () => {
    expect(await offers(['dlq', 'ls', '--nonsense='], '')).not.toContain('Error');
    expect(await offers(['nonsense'], '', false)).toEqual([':values']);
    expect(await offers(['dlq', 'show', '--context', 'nowhere'], '', false)).toEqual([':values']);
  });

  test('comes from no server that only a spec in the folder names, but from one that was named, or is here', async () => {
    const folder = mkdtempSync(join(dir, 'found-'));
    const found = (connection: string) =>
      writeFileSync(
        join(folder, 'osapi-ops.yaml'),
        `version: 1\nname: found\nconnection: {${connection}}\nqueues: {REQUESTS: {subjects: ["requests.*"]}}\n`,
      );
    const asked = async (wantsAny: boolean, ...words: string[]) => {
      const options = { cwd: folder, env: { XDG_CONFIG_HOME: config } };
      return (await ask(['=REQ', 'queue', 'drain', ...words], options, wantsAny)).stdout;
    };
    // The same server, in a spelling that is not known to be this machine.
    const elsewhere = server.url.replace('127.0.0.1', '127.1');
    for (const connection of [`servers: "${elsewhere}"`, `servers: "${server.url}", user: me, password: x`]) {
      found(connection);
      expect(await asked(false)).toBe(':values\n');
      expect(await asked(true, '-f', 'osapi-ops.yaml')).toContain('REQUESTS\t');
    }
    found(`servers: "${server.url}"`);
    expect(await asked(true)).toContain('REQUESTS\t');
    writeFileSync(join(config, 'nats', 'context', 'own.json'), JSON.stringify({ url: server.url }));
    found('context: own');
    expect(await asked(true)).toContain('REQUESTS\t');
    rmSync(join(config, 'nats', 'context', 'own.json'));
    writeFileSync(join(folder, 'theirs.json'), JSON.stringify({ url: server.url }));
    found('context: theirs.json');
    expect(await asked(false)).toBe(':values\n');
  });
});

const SHELLS = {
  bash: {
    start: ['bash', '--norc', '--noprofile', '-i'],
    setup: ["PS1='REA''DY> '", 'eval "$(osapi-ops autocomplete bash)"'],
  },
  zsh: {
    start: ['zsh', '-f', '-i'],
    setup: ["PS1='REA''DY> '", 'autoload -Uz compinit; compinit -u -D', 'eval "$(osapi-ops autocomplete zsh)"'],
  },
  fish: {
    start: ['fish', '--no-config', '-i'],
    setup: ["function fish_prompt; echo -n 'REA''DY> '; end", 'osapi-ops autocomplete fish | source'],
  },
} as const;

/** A Tab that changes nothing. */
const VAIN = '\t in vain';

describe.each(Object.keys(SHELLS) as (keyof typeof SHELLS)[])('in a real %s', (name) => {
  const { start, setup } = SHELLS[name];
  const { test: inShell } = needing(name, 'a pseudo-terminal');
  let terminal: Terminal;

  beforeAll(async () => {
    terminal = startInTerminal([], { command: start, cwd, env: env(), columns: 120, rows: 40 });
    for (const line of [...setup, 'echo SET"UP"']) terminal.send(`${line}\r`);
    await terminal.expect('SETUP');
    await terminal.expect('READY> ');
  });
  afterAll(async () => {
    terminal?.kill();
    await terminal?.done;
  });

  /** Waits until the shell has answered and says no more, for at most so many milliseconds. */
  async function settled(most: number): Promise<void> {
    const before = terminal.raw().length;
    const end = performance.now() + most;
    for (let quiet = 0, last = before; performance.now() < end && quiet < 8; ) {
      await sleep(40);
      const length = terminal.raw().length;
      quiet = length === last && length !== before ? quiet + 1 : 0;
      last = length;
    }
  }

  /** Types, lets the shell answer, presses Enter, and gives the words that the command was called with. */
  async function typed(...keys: string[]): Promise<string[]> {
    rmSync(join(dir, 'called'), { force: true });
    for (const key of keys) {
      terminal.send(key === VAIN ? '\t' : key);
      // A shell does not tell that it has taken a key.
      await (key === '\t' ? settled(10_000) : key === VAIN ? settled(1500) : sleep(50));
    }
    terminal.send('\r');
    await terminal.expect('DONE');
    // Not before does it read what is typed next.
    await terminal.expect('READY> ');
    return readFileSync(join(dir, 'called'), 'utf8').trimEnd().split('\n');
  }

  inShell('Tab completes commands, flags and what the server knows', async () => {
    expect(await typed('osapi-ops dl', '\t', 'sho', '\t', 'REQ', '\t')).toEqual([
      'dlq',
      'show',
      'REQUESTS/request-worker/1',
    ]);
    expect(await typed('osapi-ops dlq ls --sta', '\t', 'or', '\t')).toEqual(['dlq', 'ls', '--state', 'orphan']);
    expect(await typed('osapi-ops dlq ls --state=repl', '\t')).toEqual(['dlq', 'ls', '--state=replayable']);
    expect(await typed('osapi-ops status --context pr', '\t')).toEqual(['status', '--context', 'prod']);
    expect(await typed('osapi-ops request send dn', '\t')).toEqual(['request', 'send', 'dns']);
  });

  inShell('Tab completes specs and saved plans, and nothing else that lies there', async () => {
    expect(await typed('osapi-ops plan spec', '\t', 'pr', '\t')).toEqual(['plan', 'specs/prod.yaml']);
    expect(await typed('osapi-ops apply sav', '\t')).toEqual(['apply', 'saved.plan']);
    // zsh takes any file where none fits, as it does for every command.
    const other = name === 'zsh' ? 'specs/notes.txt' : 'specs/no';
    expect(await typed('osapi-ops plan specs/no', name === 'zsh' ? '\t' : VAIN)).toEqual(['plan', other]);
    expect(await typed('osapi-ops dlq ls --file=specs/p', '\t')).toEqual(['dlq', 'ls', '--file=specs/prod.yaml']);
  });

  inShell.each(HOSTILE)('Tab quotes a name that the shell would obey: %s', async (hostile) => {
    expect(await typed(`osapi-ops queue drain ${hostile.slice(0, 2)}`, '\t')).toEqual(['queue', 'drain', hostile]);
    expect(existsSync(join(cwd, 'pwned'))).toBe(false);
  });

  inShell('Tab goes on inside quotes', async () => {
    expect(await typed("osapi-ops dlq show 'REQ", '\t')).toEqual(['dlq', 'show', 'REQUESTS/request-worker/1']);
    expect(await typed('osapi-ops queue drain "A1', '\t')).toEqual(['queue', 'drain', HOSTILE[0]]);
  });

  inShell('Tab twice lists, with remarks where the shell can show them', async () => {
    terminal.send('osapi-ops queue \t\t');
    await terminal.expect('resume');
    if (name !== 'bash') await terminal.expect(/let a queue|resume.*deliver|deliver/);
    terminal.send('\u0015\u0003');
    // Nor that it has dropped a line.
    await sleep(300);
  });

  inShell('Tab is silent where there is no server', async () => {
    const before = terminal.text().length;
    const called = await typed('osapi-ops dlq show -s nats://127.0.0.1:1 x', VAIN);
    expect(called).toEqual(['dlq', 'show', '-s', 'nats://127.0.0.1:1', 'x']);
    expect(terminal.text().slice(before)).not.toMatch(/error|cannot|refused|\bat \b/i);
  });
});
