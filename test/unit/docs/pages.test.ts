import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, normalize, relative } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { CODES } from '../../../src/lib/errors/codes.ts';
import { loadSpec } from '../../../src/lib/spec/load.ts';
import { faultsOf } from '../../support/command-words.ts';
import { type Fence, readPage } from '../../support/markdown.ts';

const files = globSync(['*.md', 'docs/**/*.md', 'examples/**/*.md', '.github/**/*.md'])
  .filter((file) => file !== 'CHANGELOG.md')
  .sort();
const pages = new Map(files.map((file) => [file, readPage(readFileSync(file, 'utf8'))]));
const each = [...pages].map(([file, page]) => ({ file, page }));
const { commands } = JSON.parse(readFileSync('schemas/commands.json', 'utf8'));

/** A relative link that leads nowhere, in words. */
function faultOfLink(file: string, target: string): string | undefined {
  if (/^[a-z]+:/i.test(target)) return undefined;
  const [path, anchor] = target.split('#') as [string, string?];
  const found = path === '' ? file : normalize(join(dirname(file), decodeURI(path)));
  if (!existsSync(found)) return `${target}: there is no ${found}`;
  if (!anchor) return undefined;
  if (statSync(found).isDirectory() || !found.endsWith('.md')) return `${target}: ${found} has no anchors`;
  const page = pages.get(found) ?? readPage(readFileSync(found, 'utf8'));
  return page.anchors.has(anchor) ? undefined : `${target}: ${found} has no heading #${anchor}`;
}

const stage = mkdtempSync(join(tmpdir(), 'osapi-ops-pages-'));
afterAll(() => rmSync(stage, { recursive: true, force: true }));

/** Shows what is wrong, rule by rule; test/unit/spec holds each of its blocks against the rule. */
const WRONG_ON_PURPOSE = 'docs/rules.md';
const isSpec = ({ language, text }: Fence): boolean => language === 'yaml' && /^(version: 1$|extends: )/m.test(text);

/** What `validate` says of a block, beside the files that the page has so far. */
async function faultsOfSpec(dir: string, { name, text, line }: Fence): Promise<string[]> {
  const file = name || 'block.yaml';
  writeFileSync(join(dir, file), text);
  const env = { QUEUE_PASSWORD: 'from-the-vault' };
  const { problems } = await loadSpec(file, { cwd: dir, env, readStdin: async () => '' });
  return problems
    .filter(({ severity }) => severity === 'error')
    .map(({ message, line: at }) => `line ${line + (at ?? 1) - 1}: ${message}`);
}

/** What is typed: of a session not what it prints. */
const typed = ({ language, text }: Fence): string =>
  language === 'console' ? (text.match(/^[$>] .*$/gm) ?? []).join('\n') : text;

describe('a page', () => {
  test.each(each)('$file leads where its links say', ({ file, page }) => {
    const faults = page.links.flatMap(({ target, line }) => {
      const fault = faultOfLink(file, target);
      return fault ? [`${file}:${line}: ${fault}`] : [];
    });
    expect(faults).toEqual([]);
  });

  test.each(each)('$file shows commands and flags that there are', ({ file, page }) => {
    const shell = page.fences.filter(({ language }) => ['sh', 'bash', 'console', 'yaml'].includes(language));
    const faults = [
      ...shell.map((fence) => ({ line: fence.line, found: faultsOf(typed(fence), commands) })),
      ...page.codes.map(({ text, line }) => ({ line, found: faultsOf(text, commands) })),
    ].flatMap(({ line, found }) => found.map((fault) => `${file}:${line}: ${fault}`));
    expect(faults).toEqual([]);
  });

  test.each(each.filter(({ file, page }) => file !== WRONG_ON_PURPOSE && page.fences.some(isSpec)))(
    '$file shows valid specs',
    async ({ file, page }) => {
      const dir = join(stage, relative('.', file));
      mkdirSync(dir, { recursive: true });
      const faults: string[] = [];
      for (const fence of page.fences.filter(isSpec)) faults.push(...(await faultsOfSpec(dir, fence)));
      expect(faults).toEqual([]);
    },
  );

  test('can be found from the map of the documentation', () => {
    const reached = new Set(['docs/README.md']);
    for (const file of reached) {
      for (const { target } of pages.get(file)?.links ?? []) {
        const found = normalize(join(dirname(file), target.split('#')[0]!));
        // A link to a folder leads to all in it: GitHub lists them.
        for (const other of files.filter((name) => name === found || dirname(name) === found)) reached.add(other);
      }
    }
    expect(files.filter((file) => /^(docs|examples)\//.test(file) && !reached.has(file))).toEqual([]);
  });
});

describe('the page of errors', () => {
  test.each(Object.entries(CODES))('says of %s that it ends with %d', (code, exit) => {
    const paragraph = readFileSync('docs/errors.md', 'utf8').split(`## ${code}\n`)[1]?.split('\n## ')[0] ?? '';
    expect(paragraph.replaceAll('\n', ' ')).toContain(`xit ${exit}`);
  });
});

describe('what holds the pages', () => {
  test.each([
    ['a command that there is not', 'osapi-ops repair', ['no command: repair']],
    ['a flag that there is not', 'osapi-ops plan spec.yaml --adopt-all', ['plan has no --adopt-all']],
    ['a flag of another command', 'osapi-ops status --prune', ['status has no --prune']],
    ['a value that a flag does not take', 'osapi-ops status -o xml', ['status: -o takes no "xml"']],
    ['a flag without its value', 'osapi-ops plan --out', ['plan: --out without a value']],
    ['a call within a shell line', 'for i in 1 2; do osapi-ops dlq rm $i; done > x', ['no command: dlq rm $i']],
    ['what is right', 'FOO=1 osapi-ops dlq replay --rate 100/s --wait 2>&1 | tail -1; echo --nothing', []],
    ['another program', './my-osapi-ops repair', []],
  ])('finds %s', (_, text, want) => {
    expect(faultsOf(text, commands)).toEqual(want);
  });

  test('makes anchors as GitHub does', () => {
    const { anchors, links } = readPage('# A `b` c!\n\n## Other\n## Other\n[x](#other-1) `[y](#no)`\n');
    expect([...anchors]).toEqual(['a-b-c', 'other', 'other-1']);
    expect(links).toEqual([{ target: '#other-1', line: 5 }]);
  });
});
