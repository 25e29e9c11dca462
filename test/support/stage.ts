// A play for the hosts: told and asked as an operation would, in a process of its own. Prints what was answered.

import { setTimeout } from 'node:timers/promises';
import { OpsError } from '../../src/lib/errors/ops-error.ts';
import { createHost } from '../../src/lib/ui/host.ts';
import { errorJson } from '../../src/lib/ui/render/error.ts';

const controller = new AbortController();
process.on('SIGINT', () => controller.abort(new OpsError('INTERRUPTED', 'interrupted by Ctrl-C')));
const has = (word: string): boolean => process.argv.includes(word);
const host = createHost({
  json: false,
  quiet: has('quiet'),
  colour: has('colour'),
  env: process.env,
  stdin: process.stdin,
  stderr: process.stderr,
  stdout: process.stdout,
  signal: controller.signal,
});
const pause = (ms: number): Promise<void> =>
  setTimeout(ms, undefined, { signal: controller.signal }).catch(() => controller.signal.throwIfAborted());

async function playTasks(): Promise<void> {
  const count = has('many') ? 200 : 3;
  host.tell({ type: 'tasks', title: 'Applying', tasks: Array.from({ length: count }, (_, n) => `stream S${n}`) });
  for (let index = 0; index < count; index++) {
    host.tell({ type: 'task', index, state: 'started' });
    await pause(has('slow') ? 60_000 : 5);
    if (index === 1) host.tell({ type: 'task', index, state: 'failed', detail: 'no space left' });
    else host.tell({ type: 'task', index, state: 'done' });
  }
  host.tell({ type: 'tasks-end' });
  await pause(300);
}

async function playQuestions(): Promise<Record<string, unknown>> {
  return {
    interactive: host.interactive,
    confirm: await host.ask({ type: 'confirm', text: 'Apply this?', fallback: false }),
    name: await host.ask({ type: 'typed-name', text: 'Type the name:', name: 'osapi', fallback: '' }),
    text: await host.ask({ type: 'text', text: 'Which stream?', fallback: 'REQUESTS' }),
    choice: await host.ask({
      type: 'choice',
      text: 'Which storage?',
      choices: ['file', 'memory'].map((value) => ({ value, label: `on ${value}` })),
      fallback: 'file',
    }),
  };
}

async function playProgress(): Promise<void> {
  for (let done = 0; done <= 20; done++) {
    host.tell({ type: 'progress', title: 'replaying', done, total: 20 });
    await pause(20);
  }
}

/** Ends at once, as at a second Ctrl-C, in the middle of a line that tells how far something is. */
async function playStuck(): Promise<void> {
  host.tell({ type: 'progress', title: 'replaying', done: 3, total: 20 });
  await pause(1500);
  process.exit(130);
}

try {
  if (has('stuck')) await playStuck();
  if (has('silent')) await pause(1500);
  if (has('progress')) await playProgress();
  if (has('tasks')) await playTasks();
  if (has('questions')) process.stdout.write(`${JSON.stringify(await playQuestions())}\n`);
  process.stdout.write('the end\n');
} catch (error) {
  process.stdout.write(`${JSON.stringify(errorJson(error))}\n`);
  process.exitCode = 1;
}
