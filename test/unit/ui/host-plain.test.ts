import { describe, expect, test } from '@jest/globals';
import type { Event } from '../../../src/lib/model/io.ts';
import { createPlainHost } from '../../../src/lib/ui/host-plain.ts';

function hostOf({ quiet = false } = {}) {
  const lines: string[] = [];
  let clock = 0;
  const host = createPlainHost({
    quiet,
    colour: false,
    stderr: { write: (text) => lines.push(text) },
    signal: new AbortController().signal,
    now: () => clock,
  });
  return { host, text: () => lines.join(''), wait: (ms: number) => (clock += ms) };
}

const story: readonly Event[] = [
  { type: 'note', text: 'looking' },
  { type: 'tasks', title: 'Applying 3 changes', tasks: ['stream A', 'stream B', 'stream C'] },
  { type: 'task', index: 0, state: 'started' },
  { type: 'task', index: 0, state: 'done' },
  { type: 'task', index: 1, state: 'failed', detail: 'no space' },
  { type: 'task', index: 2, state: 'skipped', detail: 'stream B failed' },
  { type: 'tasks-end' },
  { type: 'warning', text: 'the clock is off' },
];

describe('a host without a terminal', () => {
  test('prints a line for each thing that ends', () => {
    const { host, text } = hostOf();
    for (const event of story) host.tell(event);
    expect(text()).toMatchInlineSnapshot(`
      "looking
      Applying 3 changes
        done    stream A
        failed  stream B: no space
        skipped stream C: stream B failed
      Warning: the clock is off
      "
    `);
  });

  test('told to be quiet keeps failures and warnings', () => {
    const { host, text } = hostOf({ quiet: true });
    for (const event of story) host.tell(event);
    expect(text()).toBe('  failed  stream B: no space\nWarning: the clock is off\n');
  });

  test('tells progress at its start, each five seconds, and its end', () => {
    const { host, text, wait } = hostOf();
    for (let done = 0; done < 100; done++) {
      host.tell({ type: 'progress', title: 'replaying', done, total: 100 });
      wait(100);
    }
    host.tell({ type: 'progress', title: 'replaying', done: 100, total: 100 });
    expect(text()).toBe('  replaying: 0 of 100\n  replaying: 50 of 100\n  replaying: 100 of 100\n');
  });

  test.each([
    { question: { type: 'confirm', text: 'apply?', fallback: true } as const, want: true },
    { question: { type: 'typed-name', text: 'name?', name: 'osapi', fallback: '' } as const, want: '' },
    { question: { type: 'text', text: 'stream?', fallback: 'REQUESTS' } as const, want: 'REQUESTS' },
    { question: { type: 'choice', text: 'which?', choices: [], fallback: 'a' } as const, want: 'a' },
  ])('answers a $question.type question with its fallback, and prints nothing', async ({ question, want }) => {
    const { host, text } = hostOf();
    expect(host.interactive).toBe(false);
    expect(await host.ask(question)).toBe(want);
    expect(text()).toBe('');
  });

  test('shows hostile names without obeying them', () => {
    const { host, text } = hostOf();
    host.tell({ type: 'tasks', title: 'T\u001b[2J', tasks: ['\u202eA'] });
    host.tell({ type: 'task', index: 0, state: 'failed', detail: '\u0007' });
    host.tell({ type: 'note', text: '\u001b]0;x\u0007' });
    expect(text().replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });
});
