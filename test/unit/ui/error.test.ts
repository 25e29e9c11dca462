import { describe, expect, test } from '@jest/globals';
import { OpsError } from '../../../src/lib/errors/ops-error.ts';
import { errorJson, renderBug, renderError, renderProblems } from '../../../src/lib/ui/render/error.ts';
import { createTheme } from '../../../src/lib/ui/theme.ts';

const theme = createTheme({ colour: false });

const tooLong = {
  code: 'SPEC_BACKOFF_TOO_LONG',
  message: 'consumer REQUESTS/request-worker: backoff has 5 steps, but max_deliver is 3',
  file: 'config/prod.yaml',
  line: 24,
  column: 5,
  path: 'queues.REQUESTS.consumers.request-worker.backoff',
  why: 'The server refuses a backoff longer than max_deliver (err_code 10116).',
  hint: 'raise max_deliver to 5 or more, or keep 3 steps.',
};

describe('an error', () => {
  test('says what, where, why, what to do and its code, in this order', () => {
    const error = new OpsError('CONN_UNREACHABLE', 'no server answers at nats://127.0.0.1:4222', {
      where: 'nats://127.0.0.1:4222',
      why: 'The connection was refused.',
      hints: ['start the server.', 'or name another with --server.'],
    });
    expect(renderError(error, theme)).toBe(
      [
        'Error: no server answers at nats://127.0.0.1:4222',
        '  at nats://127.0.0.1:4222',
        '  The connection was refused.',
        '  Try: start the server.',
        '  Try: or name another with --server.',
        '  Code: CONN_UNREACHABLE',
        '',
      ].join('\n'),
    );
  });

  test('is never wrapped, however long a path is', () => {
    const where = `config/${'deep/'.repeat(60)}prod.yaml:1:1`;
    expect(renderError(new OpsError('SPEC_UNREADABLE', 'no', { where }), theme)).toContain(`  at ${where}\n`);
  });

  test('lists every problem of a spec before itself, which counts them', () => {
    const warning = { code: 'SPEC_NO_LIMIT', severity: 'warning' as const, message: 'no limit' };
    const text = renderError(
      new OpsError('SPEC_INVALID', 'the spec is invalid', { problems: [tooLong, warning] }),
      theme,
    );
    expect(text).toBe(
      [
        'error consumer REQUESTS/request-worker: backoff has 5 steps, but max_deliver is 3',
        '  at config/prod.yaml:24:5 (queues.REQUESTS.consumers.request-worker.backoff)',
        '  The server refuses a backoff longer than max_deliver (err_code 10116).',
        '  Try: raise max_deliver to 5 or more, or keep 3 steps.',
        '  Code: SPEC_BACKOFF_TOO_LONG',
        '',
        'warning no limit',
        '  Code: SPEC_NO_LIMIT',
        '',
        'Error: the spec is invalid',
        '  Code: SPEC_INVALID',
        '',
      ].join('\n'),
    );
  });

  test('shows what others wrote without obeying it', () => {
    const hostile = 'stream \u001b]0;owned\u0007\u202e';
    const error = new OpsError('SERVER_REFUSED', hostile, {
      where: hostile,
      why: hostile,
      hints: [hostile],
      problems: [{ code: hostile, message: hostile, file: hostile, path: hostile, hint: hostile, why: hostile }],
    });
    expect(renderError(error, theme)).not.toMatch(/[\u001b\u0007\u202e]/);
  });

  test('keeps the lines of a longer reason, each indented', () => {
    const text = renderError(new OpsError('APPLY_FAILED', 'two steps failed', { why: 'first\nsecond' }), theme);
    expect(text).toContain('\n  first\n  second\n');
  });
});

test('no problem is no text', () => {
  expect(renderProblems([], theme)).toBe('');
});

describe('the JSON of an error', () => {
  test('has the allowed fields of a problem and nothing else', () => {
    const error = new OpsError('SPEC_INVALID', 'the spec is invalid', { hints: ['fix it.'], problems: [tooLong] });
    const { why: _why, path: _path, ...allowed } = tooLong;
    expect(errorJson(error)).toEqual({
      error: { code: 'SPEC_INVALID', message: 'the spec is invalid', hint: 'fix it.', problems: [allowed] },
    });
  });

  test('keeps a secret that hangs on the error to itself', () => {
    const error = new OpsError('CONN_TLS', 'no', { where: 'x', cause: { password: 'hunter2' } });
    expect(JSON.stringify(errorJson(Object.assign(error, { options: { token: 'hunter2' } })))).not.toContain('hunter2');
  });

  test('stands beside a half-way result', () => {
    const error = new OpsError('APPLY_FAILED', 'step 2 failed', { result: { system: 'osapi', changes: [] } });
    expect(errorJson(error)).toEqual({
      system: 'osapi',
      changes: [],
      error: { code: 'APPLY_FAILED', message: 'step 2 failed' },
    });
  });

  test('calls anything else a bug, by its message alone', () => {
    expect(errorJson(new TypeError('x is undefined')).error).toMatchObject({ code: 'BUG', message: 'x is undefined' });
  });
});

describe('a bug', () => {
  test('is short, and says how to report it', () => {
    const text = renderBug(new TypeError('x is undefined'), theme, {});
    expect(text).toContain('Error: x is undefined\n');
    expect(text).toContain('OSAPI_OPS_DEBUG=1');
    expect(text).not.toContain('error.test.ts');
  });

  test.each(['OSAPI_OPS_DEBUG', 'DEBUG'])('shows its stack with %s', (name) => {
    expect(renderBug(new TypeError('x is undefined'), theme, { [name]: '1' })).toContain('error.test.ts');
  });

  test('may be any value that was thrown', () => {
    expect(renderBug('\u001b[2J', theme, {})).toContain('Error: \\x1b[2J\n');
  });
});

describe('an error with a problem that is the error itself', () => {
  test('is told once; its other problems stand before it', () => {
    const itself = { code: 'SPEC_UNREADABLE', message: 'there is no file a.yaml', file: 'a.yaml' };
    const told = (problems: readonly { code: string; message: string }[]) =>
      renderError(new OpsError('SPEC_UNREADABLE', itself.message, { where: 'a.yaml', problems }), theme);
    expect(told([itself])).toBe('Error: there is no file a.yaml\n  at a.yaml\n  Code: SPEC_UNREADABLE\n');
    const other = { code: 'SPEC_UNREADABLE', message: 'there is no file b.yaml' };
    expect(told([itself, other])).toMatch(/^error there is no file b\.yaml\n {2}Code: SPEC_UNREADABLE\n\nError: /);
  });
});
