import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import xterm from '@xterm/headless';
import { startTaskBoard } from '../../../src/lib/ui/task-board.ts';

const running: AbortController[] = [];
beforeEach(() => {
  // The terminal's own work goes on; only the next frame waits for us.
  jest.useFakeTimers({
    doNotFake: ['setTimeout', 'setImmediate', 'nextTick', 'queueMicrotask', 'performance', 'Date'],
  });
});
afterEach(() => {
  for (const controller of running.splice(0)) controller.abort();
  jest.useRealTimers();
});

/** A board on a terminal of this size. `screen` is what a person sees, scrolled-off lines included. */
function play(title: string, tasks: readonly string[], { columns = 40, rows = 20 } = {}) {
  const terminal = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true, convertEol: true });
  const written: string[] = [];
  const write = (text: string) => written.push(text);
  const controller = new AbortController();
  running.push(controller);
  const stderr = { columns, rows, write } as unknown as NodeJS.WriteStream;
  const board = startTaskBoard({ title, tasks, colour: false, stderr, signal: controller.signal });
  const screen = async () => {
    await new Promise<void>((done) => terminal.write(written.splice(0).join(''), done));
    const { active } = terminal.buffer;
    const lines = Array.from({ length: active.length }, (_, at) => active.getLine(at)!.translateToString(true));
    return lines.join('\n').trimEnd().split('\n');
  };
  return { board, screen, write, abort: () => controller.abort(), raw: () => written.join('') };
}

describe('a list of tasks', () => {
  test('is drawn over itself as it goes on, and ends with what became of each', async () => {
    const { board, screen } = play('Applying', ['one', 'two', 'three', 'four', 'five']);
    expect(await screen()).toEqual(['Applying', '⠋ one', '⠋ two', '⠋ three', '⠋ four', '⠋ five']);
    board.tell({ type: 'task', index: 0, state: 'done', detail: '3 messages' });
    board.tell({ type: 'task', index: 1, state: 'failed', detail: 'no space left' });
    board.tell({ type: 'task', index: 2, state: 'started' });
    jest.advanceTimersByTime(100);
    const drawn = ['✔ one: 3 messages', '✖ two', '  › no space left'];
    expect(await screen()).toEqual(['Applying', ...drawn, '⠙ three', '⠙ four', '⠙ five']);
    board.tell({ type: 'task', index: 4, state: 'skipped', detail: 'not needed' });
    board.end();
    const ended = ['↓ three: interrupted', '↓ four: not reached', '↓ five: not needed'];
    expect(await screen()).toEqual(['Applying', ...drawn, ...ended]);
  });

  test('makes room for what else is told', async () => {
    const { board, screen, write } = play('Applying', ['one', 'two']);
    board.above(() => write('Warning: beware\n'));
    board.tell({ type: 'task', index: 0, state: 'done' });
    board.tell({ type: 'task', index: 1, state: 'done' });
    board.end();
    board.above(() => write('and after\n'));
    expect(await screen()).toEqual(['Applying', 'Warning: beware', '✔ one', '✔ two', 'and after']);
  });

  test.each([
    { columns: 12, name: 'stream ABC', shown: '⠋ stream AB' },
    { columns: 13, name: 'stream ABC', shown: '⠋ stream ABC' },
    { columns: 12, name: '東京東京東京', shown: '⠋ 東京東京' },
  ])('is cut to $columns columns while it is drawn, and whole at its end', async ({ columns, name, shown }) => {
    const { board, screen } = play('A', [name], { columns });
    for (let frame = 0; frame < 10; frame++) jest.advanceTimersByTime(100);
    expect(await screen()).toEqual(['A', shown]);
    board.tell({ type: 'task', index: 0, state: 'done' });
    board.end();
    expect((await screen()).join('')).toBe(`A✔ ${name}`);
  });

  test.each(['end', 'abort'] as const)('gives the cursor back at its %s, once', async (how) => {
    const before = process.listenerCount('exit');
    const { board, raw, abort } = play('A', ['one']);
    expect(raw().match(/\u001b\[\?25[lh]/g)).toEqual(['\u001b[?25l']);
    if (how === 'abort') abort();
    else board.end();
    board.end();
    abort();
    jest.advanceTimersByTime(1000);
    expect(raw().match(/\u001b\[\?25[lh]/g)).toEqual(['\u001b[?25l', '\u001b[?25h']);
    expect(raw().match(/one: not reached/g)).toHaveLength(1);
    expect(process.listenerCount('exit')).toBe(before);
  });
});

describe('a list longer than the screen', () => {
  const names = (count: number) => Array.from({ length: count }, (_, at) => `S${at}`);

  test.each([
    { count: 6, lines: 7 },
    { count: 7, lines: 1 },
  ])('of $count on 10 rows takes $lines', async ({ count, lines }) => {
    const { screen } = play('Applying', names(count), { rows: 10 });
    expect(await screen()).toHaveLength(lines);
  });

  test('is one line that counts, with what failed above it', async () => {
    const { board, screen } = play('Applying', names(9), { rows: 10, columns: 60 });
    expect(await screen()).toEqual(['⠋ Applying: 0 of 9 done']);
    for (let index = 0; index < 9; index++) {
      const state = index === 3 ? 'failed' : index === 5 ? 'skipped' : 'done';
      board.tell({ type: 'task', index, state, ...(state === 'failed' && { detail: 'no space left' }) });
    }
    board.end();
    expect(await screen()).toEqual(['S3: no space left', '✖ Applying: 7 of 9 done, 1 failed, 1 skipped']);
  });

  test('is ticked where nothing failed', async () => {
    const { board, screen } = play('Applying', names(9), { rows: 10, columns: 60 });
    for (let index = 0; index < 9; index++) board.tell({ type: 'task', index, state: 'done' });
    board.end();
    expect(await screen()).toEqual(['✔ Applying: 9 of 9 done']);
  });
});
