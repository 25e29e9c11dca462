import { describe, expect, test } from '@jest/globals';
import { closingLines, type RunResults } from '../support/closing-lines.ts';
import { isNotHere } from '../support/needs.ts';

const run = (...tests: RunResults['testResults'][number]['testResults']) =>
  closingLines(
    { testResults: [{ testFilePath: '/clone/test/cli/apply.test.ts', testResults: tests }] },
    ['nats-server 2.12'],
    '/clone/',
  ).slice(1);

describe('the closing lines of a run', () => {
  test('tell a server line that is not here, though no test of it could be skipped', () => {
    expect(closingLines({ testResults: [] }, ['nats-server 2.12'], '/')).toEqual([
      'Not checked: anything on nats-server 2.12. To check it: a network brings it, or put it on PATH',
    ]);
    expect(closingLines({ testResults: [] }, [], '/')).toEqual([]);
  });

  test('count what was skipped by what it needs, with the way to have it', () => {
    const zsh = { fullName: `in a real zsh Tab completes ${isNotHere('zsh')}`, status: 'pending' };
    const pty = { fullName: `on a terminal ${isNotHere('a pseudo-terminal')} Enter means no`, status: 'pending' };
    expect(run(zsh, pty, zsh)).toEqual([
      'Not checked: 2 tests for want of zsh. To check: install zsh',
      'Not checked: 1 test for want of a pseudo-terminal. To check: install python3',
    ]);
  });

  test('leave out what a pattern passed over, and what is told once for its whole line', () => {
    const line = { fullName: `pause ${isNotHere('nats-server 2.12')} is refused`, status: 'pending' };
    expect(run(line, { fullName: 'apply works', status: 'pending' })).toEqual([]);
  });

  test('name each test that passed only at its second try, and none that failed twice or passed at once', () => {
    expect(
      run(
        { fullName: 'apply works', status: 'passed', invocations: 2 },
        { fullName: 'apply fails', status: 'failed', invocations: 2 },
        { fullName: 'apply ends', status: 'passed', invocations: 1 },
        { fullName: 'apply tells', status: 'passed' },
      ),
    ).toEqual(['Second try: 1 test passed only then', 'Second try: test/cli/apply.test.ts: apply works']);
  });

  test('say why the first try failed, in a line', () => {
    const why =
      'Error: \u001b[2mexpect\u001b[22m(received)\n\n    Expected: 0\n    Received: 69\n    at here (a.ts:1:1)';
    expect(run({ fullName: 'apply works', status: 'passed', invocations: 2, retryReasons: [why, 'another'] })[1]).toBe(
      'Second try: test/cli/apply.test.ts: apply works: Error: expect(received) Expected: 0 Received: 69',
    );
  });
});
