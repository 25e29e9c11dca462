import { expect, test } from '@jest/globals';
import type { WorkerEvent } from '../../../src/lib/model/worker.ts';
import { renderLogLine } from '../../../src/lib/ui/render/worker.ts';
import { createTheme } from '../../../src/lib/ui/theme.ts';

const view = { now: new Date('2026-11-28T03:00:00Z'), theme: createTheme({ colour: false }) };
const line = (facts: Partial<WorkerEvent>) =>
  renderLogLine({ level: 'warn', event: 'failed', message: 'failed', ...facts }, 'text', view).slice(31);

test.each([
  [{ reason: 'Error: a\n    at b\n' }, 'failed (Error: a at b)\n'],
  [{ reason: 'a\x1b[31mb' }, 'failed (a\\x1b[31mb)\n'],
  [{ retry_in_ms: 999 }, 'failed again in 999ms\n'],
  [{ retry_in_ms: 1000 }, 'failed again in 1s\n'],
  [{ retry_in_ms: 59_949 }, 'failed again in 59.9s\n'],
  [{ retry_in_ms: 59_950 }, 'failed again in 1m\n'],
  [{ retry_in_ms: 1_401_400 }, 'failed again in 23m21s\n'],
  [{ request_id: 'r1', delivery: 1 }, 'request r1 failed\n'],
  [{ delivery: 2, ms: 40, retry_in_ms: 2000 }, 'failed delivery 2, after 40ms, again in 2s\n'],
  [{ seq: 7, delivery: 2 }, 'message 7 failed delivery 2\n'],
])('a line of the log: %j', (facts, text) => {
  expect(line(facts)).toBe(text);
});
