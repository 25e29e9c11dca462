import { globSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { LINES } from '../support/needs.ts';

interface Workflow {
  readonly permissions: unknown;
  readonly jobs: Record<
    string,
    { readonly 'timeout-minutes'?: number; readonly strategy?: { readonly matrix: object } }
  >;
}

const files = globSync('.github/workflows/*.yml').map((file) => {
  const text = readFileSync(file, 'utf8');
  return { file, text, workflow: parse(text) as Workflow };
});

describe('a workflow of this repository', () => {
  test('runs no action by a name that somebody else can move: a commit, and the version that it was', () => {
    const uses = files.flatMap(({ text }) => text.match(/^.*\buses:.*$/gm) ?? []);
    expect(uses.length).toBeGreaterThan(5);
    expect(uses.filter((line) => !/uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line))).toEqual([]);
    const digests = new Map<string, Set<string>>();
    for (const [, action, digest] of uses.join('\n').matchAll(/uses: (\S+)@(\S+)/g))
      digests.set(action!, (digests.get(action!) ?? new Set()).add(digest!));
    expect([...digests].filter(([, all]) => all.size > 1)).toEqual([]);
  });

  test.each(files)('$file may read, no more, but where a job asks; no job runs for ever', ({ workflow }) => {
    expect(workflow.permissions).toEqual({ contents: 'read' });
    for (const [name, job] of Object.entries(workflow.jobs))
      expect({ name, minutes: job['timeout-minutes'] }).toEqual({ name, minutes: expect.any(Number) });
  });

  test.each(files)('$file puts nothing of an event into a shell as text', ({ text }) => {
    expect(text.match(/run:[^\n]*\$\{\{ *(github\.event|inputs|github\.head_ref)/g)).toBeNull();
  });

  test('CI gives each line of the server that the tests name a job of its own, on every Node', () => {
    const { jobs } = files.find(({ file }) => file.endsWith('ci.yml'))!.workflow;
    expect(jobs.everything!.strategy!.matrix).toMatchObject({ node: ['22.22', '24', '26'], server: LINES });
    const { worlds } = files.find(({ file }) => file.endsWith('worlds.yml'))!.workflow.jobs;
    expect(worlds!.strategy!.matrix).toEqual({ server: LINES });
  });

  test('CI runs what package.json says the package runs on', () => {
    const ci = files.find(({ file }) => file.endsWith('ci.yml'))!.text;
    const { engines } = JSON.parse(readFileSync('package.json', 'utf8')) as { engines: { node: string } };
    for (const line of ['22.22', '24', '26']) {
      expect(engines.node).toContain(line);
      expect(ci).toContain(`"${line}"`);
    }
  });
});
