import { expect, test } from '@jest/globals';
import type { WorkerEvent, WorkerReport } from '../../../src/lib/model/worker.ts';
import { renderLogLine, renderWorkerReport } from '../../../src/lib/ui/render/worker.ts';
import { createTheme } from '../../../src/lib/ui/theme.ts';

const view = { now: new Date('2026-11-28T03:00:00Z'), theme: createTheme({ colour: false }) };
const line = (facts: Partial<WorkerEvent>) =>
  renderLogLine({ level: 'warn', event: 'failed', message: 'failed', ...facts }, 'text', view).slice(31);

test.each([
  [{ reason: 'Error: a\n    at b\n' }, 'failed: Error: a at b\n'],
  [{ reason: 'a\x1b[31mb' }, 'failed: a\\x1b[31mb\n'],
  [{ retry_in_ms: 999 }, 'failed, again in 999ms\n'],
  [{ retry_in_ms: 1000 }, 'failed, again in 1s\n'],
  [{ retry_in_ms: 59_949 }, 'failed, again in 59.9s\n'],
  [{ retry_in_ms: 59_950 }, 'failed, again in 1m\n'],
  [{ retry_in_ms: 1_401_400 }, 'failed, again in 23m21s\n'],
  [{ request_id: 'r1', delivery: 1 }, 'request r1 failed\n'],
  [{ delivery: 2, ms: 40, retry_in_ms: 2000 }, 'failed, delivery 2, after 40ms, again in 2s\n'],
  [{ ms: 5, reason: 'no route (the command exited 1)' }, 'failed, after 5ms: no route (the command exited 1)\n'],
  [{ seq: 7, delivery: 2 }, 'message 7 failed, delivery 2\n'],
])('a line of the log: %j', (facts, text) => {
  expect(line(facts)).toBe(text);
});

test.each([
  [{ seconds: 0.9, answered: 100 }, '100 answered, 590 failed: 690 deliveries in 900ms'],
  [{ seconds: 6.1, answered: 100 }, '100 answered, 590 failed: 690 deliveries in 6.1s, 16 answered/s'],
  [{ seconds: 6.1, answered: 0 }, '0 answered, 590 failed: 690 deliveries in 6.1s'],
])('a report says what its rate is of: %j', (facts, text) => {
  const none = { already_answered: 0, retried: 0, rejected: 0, unstored: 0, returned: 0, cut_short: 0 };
  const report = { ...none, taken: 690, failed: 590, ...facts } as WorkerReport;
  expect(renderWorkerReport(report, createTheme({ colour: false }))).toBe(`${text}\n`);
});
