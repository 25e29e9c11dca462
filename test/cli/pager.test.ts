import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { runCli } from '../support/cli.ts';
import { needing } from '../support/needing.ts';
import { KEY, startInTerminal } from '../support/pty.ts';

const dir = mkdtempSync(join(tmpdir(), 'osapi-ops-pager-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** A pager that keeps a copy, and waits for a key as less does. */
const keeper = join(dir, 'keeper');
writeFileSync(keeper, `#!/bin/sh\ncat > ${dir}/kept\necho PAGED\nread key < /dev/tty\necho "left by $key"\n`);
chmodSync(keeper, 0o755);
/** One that Ctrl-C does not end, as less. */
const stubborn = join(dir, 'stubborn');
writeFileSync(stubborn, `#!/bin/sh\ntrap '' INT\nexec ${keeper}\n`);
chmodSync(stubborn, 0o755);
const killed = join(dir, 'killed');
writeFileSync(killed, '#!/bin/sh\ncat > /dev/null\nstty -echo < /dev/tty\nkill -9 $$\n');
chmodSync(killed, 0o755);
const kept = (): string => readFileSync(join(dir, 'kept'), 'utf8');

/** Prints more than any screen of these tests, and needs no server. */
const LONG = ['schema'];
const { test: inTerminal } = needing('a pseudo-terminal');

describe('a pager', () => {
  inTerminal('gets what is longer than the screen, whole', async () => {
    const terminal = startInTerminal(LONG, { env: { PAGER: keeper }, rows: 20 });
    await terminal.expect('PAGED');
    terminal.send('q\n');
    expect(await terminal.done).toBe(0);
    expect(terminal.text()).toContain('left by q');
    expect(kept()).toBe((await runCli(LONG)).stdout);
  });

  inTerminal.each([
    ['apply', '--help'],
    ['--help', '--help'],
  ])('gets the help of %s', async (...args) => {
    const line = [...new Set(args)];
    const terminal = startInTerminal(line, { env: { PAGER: keeper }, rows: 20 });
    await terminal.expect('PAGED');
    terminal.send('q\n');
    expect(await terminal.done).toBe(0);
    expect(kept()).toContain(line.length > 1 ? 'apply' : 'PROVISION');
  });

  inTerminal('gets the tour, to read it at one’s own pace', async () => {
    const terminal = startInTerminal(['demo'], { env: { PAGER: keeper }, rows: 20 });
    await terminal.expect('PAGED', 60_000);
    terminal.send('q\n');
    expect(await terminal.done).toBe(0);
    expect(kept()).toMatch(/1\. A real nats-server comes up[\s\S]*Done\. The server is stopped/);
  });

  inTerminal('is not troubled for what fits', async () => {
    const terminal = startInTerminal(['validate', 'config/dev.yaml'], { env: { PAGER: keeper }, rows: 40 });
    expect(await terminal.done).toBe(0);
    expect(terminal.text()).not.toContain('PAGED');
    expect(terminal.text()).toContain('config/dev.yaml');
  });

  inTerminal.each([
    ['--no-pager', [...LONG, '--no-pager'], {}],
    ['its variable', LONG, { OSAPI_OPS_NO_PAGER: '1' }],
    ['an empty PAGER', LONG, { PAGER: '' }],
    ['PAGER=cat', LONG, { PAGER: 'cat' }],
    ['a pager that is not there', LONG, { PAGER: 'no-such-pager -x' }],
    ['a terminal that can do nothing', LONG, { TERM: 'dumb' }],
    ['CI', LONG, { CI: 'true' }],
    ['--json', [...LONG, '--json'], {}],
  ])('is left out with %s', async (_, args, env) => {
    const terminal = startInTerminal(args, { env: { PAGER: keeper, ...env }, rows: 20 });
    expect(await terminal.done).toBe(0);
    expect(terminal.text()).not.toContain('PAGED');
    expect(terminal.text()).toContain('"$schema"');
  });

  test('is left out where stdout is no terminal', async () => {
    const { code, stdout } = await runCli(LONG, { env: { PAGER: keeper } });
    expect({ code, paged: stdout.includes('PAGED') }).toEqual({ code: 0, paged: false });
  });

  inTerminal('outlives Ctrl-C, which is a key of it', async () => {
    const terminal = startInTerminal(LONG, { env: { PAGER: stubborn }, rows: 20 });
    await terminal.expect('PAGED');
    terminal.send(KEY.ctrlC);
    await new Promise((resolve) => setTimeout(resolve, 700));
    terminal.send(KEY.ctrlC);
    await new Promise((resolve) => setTimeout(resolve, 200));
    terminal.send('q\n');
    await terminal.expect('left by q');
    expect(await terminal.done).toBe(0);
  });

  inTerminal('that is left early ends the command without a word', async () => {
    const terminal = startInTerminal(LONG, { env: { PAGER: 'head -3' }, rows: 20 });
    expect(await terminal.done).toBe(0);
    expect(terminal.text()).not.toMatch(/EPIPE|Error/);
  });

  inTerminal('that was killed leaves a terminal that echoes', async () => {
    const script = `${process.execPath} bin/run.js schema; stty -a | grep -o '[-]*echo '`;
    const terminal = startInTerminal([script], {
      command: ['sh', '-c'],
      env: { PAGER: killed },
      rows: 20,
    });
    await terminal.done;
    expect(terminal.text()).toMatch(/^echo/m);
  });
});
