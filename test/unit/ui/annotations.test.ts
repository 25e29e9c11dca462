import { describe, expect, test } from '@jest/globals';
import { annotationOf, inRepository, renderAnnotations } from '../../../src/lib/ui/render/annotations.ts';
import { renderCodeQuality } from '../../../src/lib/ui/render/code-quality.ts';

const problem = {
  code: 'SPEC_BACKOFF_TOO_LONG',
  message: 'backoff has 3 steps, 100% too many',
  hint: 'keep 2.',
  file: 'prod.yaml',
  line: 25,
  column: 9,
};
const checkout = { cwd: '/repo/config', workspace: '/repo' };

describe('an annotation', () => {
  test('stands at its place in the repository, wherever the command ran, with what its syntax uses escaped', () => {
    expect(renderAnnotations([annotationOf(problem, checkout)])).toEqual([
      '::error file=config/prod.yaml,line=25,col=9,title=SPEC_BACKOFF_TOO_LONG::backoff has 3 steps, 100%25 too many%0ATry: keep 2.',
    ]);
  });

  test('has no place where the problem has none, or came by standard input', () => {
    const [plain, piped] = renderAnnotations([
      annotationOf({ code: 'LOCK_HELD', message: 'held' }, checkout),
      annotationOf({ code: 'X', severity: 'warning', message: 'm', file: '-' }, checkout),
    ]);
    expect(plain).toBe('::error title=LOCK_HELD::held');
    expect(piped).toBe('::warning title=X::m');
  });

  test('cannot be ended by a name or a message', () => {
    const nasty = 'a,b:c\n::error::x\r%0A';
    const [line, ...others] = renderAnnotations([{ level: 'notice', title: nasty, text: nasty, file: nasty }]);
    expect(others).toEqual([]);
    expect(line).toMatch(/^::notice file=[^:,\n]*,title=[^:,\n]*::[^\n\r]*$/);
  });

  test('of a kind comes ten times at most, and the last one names the rest', () => {
    const many = Array.from({ length: 25 }, (_, n) => ({ level: 'warning', title: `T${n}`, text: 'x' }) as const);
    const lines = renderAnnotations([...many, { level: 'error', title: 'E', text: 'x' }]);
    expect(lines).toHaveLength(11);
    expect(lines[0]).toBe('::error title=E::x');
    expect(lines[10]).toMatch(/^::warning title=16 more::T9, .*T24$/);
  });
});

test.each([
  { name: 'of the directory', file: 'a.yaml', cwd: '/repo/sub', workspace: '/repo', want: 'sub/a.yaml' },
  { name: 'that is absolute', file: '/repo/a.yaml', cwd: '/', workspace: '/repo', want: 'a.yaml' },
  { name: 'outside', file: '../a.yaml', cwd: '/repo', workspace: '/repo', want: '../a.yaml' },
  { name: 'with no workspace known', file: './a.yaml', cwd: '/repo', workspace: undefined, want: 'a.yaml' },
])('a file $name is found from the root of the repository', ({ file, cwd, workspace, want }) => {
  expect(inRepository(file, { cwd, workspace })).toBe(want);
});

test('a code quality report has what GitLab requires, and knows a problem again that only moved', () => {
  const warning = { ...problem, code: 'W', severity: 'warning' as const };
  const read = (...problems: (typeof problem)[]) => JSON.parse(renderCodeQuality(problems, checkout));
  const [first, second] = read(problem, warning);
  expect(first).toEqual({
    description: 'backoff has 3 steps, 100% too many Try: keep 2.',
    check_name: 'SPEC_BACKOFF_TOO_LONG',
    severity: 'major',
    fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
    location: { path: 'config/prod.yaml', lines: { begin: 25 } },
  });
  expect(second.severity).toBe('minor');
  expect(second.fingerprint).not.toBe(first.fingerprint);
  expect(read({ ...problem, line: 99 })[0].fingerprint).toBe(first.fingerprint);
});
