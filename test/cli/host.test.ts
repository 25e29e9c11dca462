import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { runCli } from '../support/cli.ts';
import { needing } from '../support/needing.ts';
import { KEY, startInTerminal } from '../support/pty.ts';

const stage = fileURLToPath(new URL('../support/stage.ts', import.meta.url));
const command = [process.execPath, '--disable-warning=ExperimentalWarning', stage];
const play = (...words: string[]) => startInTerminal(words, { command });

const inTerminal = needing('a pseudo-terminal');

inTerminal.describe('on a terminal', () => {
  test('every kind of question is asked and answered', async () => {
    const terminal = play('questions');
    await terminal.expect('Apply this?');
    terminal.send(`y${KEY.enter}`);
    await terminal.expect('Type the name:');
    terminal.send(`osapi${KEY.enter}`);
    await terminal.expect('Which stream?');
    terminal.send(KEY.enter);
    await terminal.expect('on memory');
    terminal.send(`${KEY.down}${KEY.enter}`);
    await terminal.expect('{"interactive":true,"confirm":true,"name":"osapi","text":"REQUESTS","choice":"memory"}');
    expect(await terminal.done).toBe(0);
  });

  test('Enter at a question of safety means no', async () => {
    const terminal = play('questions');
    await terminal.expect('Apply this?');
    terminal.send(KEY.enter);
    await terminal.expect('Type the name:');
    terminal.send(KEY.ctrlC);
    await terminal.done;
    expect(terminal.text()).toContain('Apply this? No');
  });

  test('Ctrl-C at a question is an interruption, and the cursor comes back', async () => {
    const terminal = play('questions');
    await terminal.expect('Apply this?');
    terminal.send(KEY.ctrlC);
    await terminal.expect('"code":"INTERRUPTED"');
    expect(await terminal.done).toBe(1);
    expect(terminal.raw().lastIndexOf('\u001b[?25h')).toBeGreaterThanOrEqual(terminal.raw().lastIndexOf('\u001b[?25l'));
  });

  test('Ctrl-D at a question is no answer, told as such', async () => {
    const terminal = play('questions');
    await terminal.expect('Apply this?');
    terminal.send(KEY.ctrlD);
    await terminal.expect('"code":"NOT_CONFIRMED"');
    expect(await terminal.done).toBe(1);
  });

  test('tasks are drawn with how they ended, and the failure below its task', async () => {
    const terminal = play('tasks');
    await terminal.expect('the end');
    const text = terminal.text();
    expect(text).toContain('Applying\n');
    expect(text).toMatch(/✔ stream S0\n.*✖ stream S1\n.*no space left\n✔ stream S2/s);
    expect(await terminal.done).toBe(0);
    expect(terminal.raw().lastIndexOf('\u001b[?25h')).toBeGreaterThan(terminal.raw().lastIndexOf('\u001b[?25l'));
  });

  test('a list longer than the screen is drawn as a count', async () => {
    const terminal = play('tasks', 'many');
    await terminal.expect('Applying: 199 of 200 done, 1 failed', 20_000);
    await terminal.expect('the end');
    expect(terminal.text()).not.toContain('stream S100');
    expect(terminal.text()).toContain('stream S1: no space left');
  });

  test('Ctrl-C in the middle of tasks gives the terminal back', async () => {
    const terminal = play('tasks', 'slow');
    await terminal.expect('stream S2');
    terminal.send(KEY.ctrlC);
    await terminal.expect('"code":"INTERRUPTED"');
    expect(await terminal.done).toBe(1);
    expect(terminal.text()).toContain('stream S0: interrupted\n');
    expect(terminal.text()).toContain('stream S1: not reached\n');
    expect(terminal.raw().lastIndexOf('\u001b[?25h')).toBeGreaterThan(terminal.raw().lastIndexOf('\u001b[?25l'));
  });

  test('progress stays on one line', async () => {
    const terminal = play('progress');
    await terminal.expect('the end');
    expect(terminal.text()).toMatch(/replaying: 20 of 20\nthe end/);
    expect(
      terminal
        .raw()
        .split('\n')
        .filter((line) => line.includes('replaying')),
    ).toHaveLength(1);
  });

  test('a line of progress is ended where the process is ended at once, and says meanwhile that it goes on', async () => {
    const terminal = play('stuck');
    expect(await terminal.done).toBe(130);
    expect(terminal.text()).toBe('replaying: 3 of 20… 1s\n');
  });

  test('silence is broken by a line that leaves nothing behind, but not where nothing is to be told', async () => {
    const terminal = play('silent');
    expect(await terminal.done).toBe(0);
    expect(terminal.raw()).toContain('Working…');
    expect(terminal.text()).toBe('the end\n');
    const quiet = play('silent', 'quiet');
    expect(await quiet.done).toBe(0);
    expect(quiet.raw()).toBe('the end\r\n');
  });

  test('without colour nothing is coloured', async () => {
    const terminal = play('tasks', 'questions');
    await terminal.expect('Apply this?', 20_000);
    terminal.send(KEY.ctrlC);
    await terminal.done;
    expect(terminal.raw()).not.toMatch(/\u001b\[[0-9;]*m/);
  });
});

describe('without a terminal', () => {
  test('questions get their fallback, and only answers are on stdout', async () => {
    const { code, stdout, stderr } = await runCli(['questions', 'tasks'], { command });
    expect(code).toBe(0);
    expect(stdout).toBe('{"interactive":false,"confirm":false,"name":"","text":"REQUESTS","choice":"file"}\nthe end\n');
    expect(stderr).toBe('Applying\n  done    stream S0\n  failed  stream S1: no space left\n  done    stream S2\n');
  });

  inTerminal.test('in CI a terminal is only pretended, and nobody is asked', async () => {
    const terminal = startInTerminal(['questions'], { command, env: { CI: 'true' } });
    await terminal.expect('"interactive":false');
    expect(await terminal.done).toBe(0);
  });
});
