// Says at the end of a run what its totals leave out: what this machine could not check, and what passed only when it was
// tried again. `.ci/run` says it again at its own end.
import { stripVTControlCharacters } from 'node:util';
import { known } from './here.ts';
import { needOf, wayTo } from './needs.ts';

/** What jest tells of a run, as far as it is read here. */
export interface RunResults {
  readonly testResults: readonly {
    readonly testFilePath: string;
    readonly testResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly invocations?: number;
      /** Why each try before the last failed. */
      readonly retryReasons?: readonly string[];
    }[];
  }[];
}

const many = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;

/** @param lacking server lines that are not here: no test is made of those, so none can be seen to skip */
export function closingLines({ testResults }: RunResults, lacking: readonly string[], root: string): string[] {
  const tests = testResults.flatMap(({ testFilePath, testResults }) =>
    testResults.map((test) => ({ ...test, file: testFilePath.replace(root, '') })),
  );
  const skipped = new Map<string, number>();
  for (const { status, fullName } of tests) {
    const need = status === 'pending' ? needOf(fullName) : undefined;
    if (need !== undefined && !lacking.includes(need)) skipped.set(need, (skipped.get(need) ?? 0) + 1);
  }
  const again = tests.filter(({ status, invocations = 1 }) => status === 'passed' && invocations > 1);
  return [
    ...lacking.map((need) => `Not checked: anything on ${need}. To check it: ${wayTo(need)}`),
    ...[...skipped].map(
      ([need, count]) => `Not checked: ${many(count, 'test')} for want of ${need}. To check: ${wayTo(need)}`,
    ),
    ...(again.length > 0 ? [`Second try: ${many(again.length, 'test')} passed only then`] : []),
    ...again.map(({ file, fullName, retryReasons: [why] = [] }) => `Second try: ${file}: ${fullName}${because(why)}`),
  ];
}

/** The first lines of a failure, as one. */
function because(why: string | undefined): string {
  const lines = stripVTControlCharacters(why ?? '').split('\n');
  const told = lines.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('at '));
  return told.length === 0 ? '' : `: ${told.slice(0, 6).join(' ').slice(0, 300)}`;
}

export default class ClosingLines {
  onRunComplete(_: unknown, results: RunResults): void {
    const lacking = known()?.lacking.filter((need) => need.startsWith('nats-server ')) ?? [];
    const lines = closingLines(results, lacking, `${process.cwd()}/`);
    if (lines.length > 0) process.stderr.write(`\n${lines.join('\n')}\n`);
  }
}
